"""Settings from the environment that belong to no block are not passed over in silence."""

from __future__ import annotations

import pytest

from opsync.config import build
from opsync.errors import ConfigError
from opsync.model.rules import Mode

RAW = {"instances": {"linear": {"connector": "linear", "token": "lin_api_0123456789"}}}


def test_a_key_of_a_block_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSYNC_LINKS__MODE", "apply")

    assert build(RAW).links.mode is Mode.apply


@pytest.mark.parametrize(
    ("variable", "right"),
    [
        ("OPSYNC_TIMEZONE", 'did you mean "OPSYNC_TIME_ZONE"?'),
        ("OPSYNC_LINAER__TOKEN", 'did you mean "OPSYNC_LINEAR__…"?'),
        ("OPSYNC_SOMETHING__ELSE", "unknown environment variable"),
    ],
)
def test_a_variable_of_no_block_is_refused_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, right: str
) -> None:
    monkeypatch.setenv(variable, "a-secret-value")

    with pytest.raises(ConfigError) as caught:
        build(RAW)

    (problem,) = caught.value.problems
    assert problem.startswith(f"{variable}: unknown environment variable")
    assert problem.endswith(right)
    assert "a-secret-value" not in problem


def test_other_variables_of_the_program_are_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSYNC_SPECS_DIR", "/somewhere")

    assert list(build(RAW).instances) == ["linear"]
