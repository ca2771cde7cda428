"""config/opsync.example.toml names every setting there is, and is right about them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_origin

import pytest
from pydantic import BaseModel

from opsync.blocks import General
from opsync.config import Config, build
from opsync.languages import ENGLISH
from opsync.model import MetricKind

EXAMPLE = Path(__file__).resolve().parents[1] / "config" / "opsync.example.toml"

_COMMENTED = re.compile(r"^#(?=[\w\"\[])", re.MULTILINE)

BLOCKS = {
    "jira-main": ("opsync_jira.settings", "JiraSettings"),
    "linear": ("opsync_linear.settings", "LinearSettings"),
    "notion": ("opsync_notion.settings", "NotionSettings"),
    "posthog": ("opsync_posthog.settings", "PostHogSettings"),
    "amplitude": ("opsync_amplitude.settings", "AmplitudeSettings"),
    "mixpanel": ("opsync_mixpanel.settings", "MixpanelSettings"),
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(tmp_path / "none"))


def uncommented() -> dict[str, Any]:
    """The example with each of its settings switched on."""
    return tomllib.loads(_COMMENTED.sub("", EXAMPLE.read_text(encoding="utf-8")))


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The dotted names of all settings of a block and of the blocks in it; "*" is any name."""
    for name, field in model.model_fields.items():
        yield prefix + name
        any_name = "*." if get_origin(field.annotation) is dict else ""
        for inner in _models_in(field.annotation):
            yield from keys_of(inner, f"{prefix}{name}.{any_name}")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def has(block: Any, dotted: str) -> bool:
    """Whether a setting is in a block, or in any of several blocks of one name."""
    name, _, rest = dotted.partition(".")
    if isinstance(block, list):
        return any(has(one, dotted) for one in block)
    if name == "*":
        return any(has(one, rest) for one in block.values())
    return name in block and (not rest or has(block[name], rest))


def load(raw: dict[str, Any], folder: Path) -> Config:
    (folder / "plugins").mkdir(exist_ok=True)
    return build(raw, path=folder / "opsync.toml")


def test_every_general_setting_is_in_the_example() -> None:
    raw = uncommented()

    assert [key for key in keys_of(General) if not has(raw, key)] == []


@pytest.mark.parametrize("instance", BLOCKS)
def test_every_setting_of_a_bundled_connector_is_in_the_example(instance: str) -> None:
    module, name = BLOCKS[instance]
    block = uncommented()["instances"][instance]

    missing = [key for key in keys_of(getattr(import_module(module), name)) if not has(block, key)]

    assert missing == []


def test_the_example_with_everything_switched_on_is_a_right_configuration(tmp_path: Path) -> None:
    config = load(uncommented(), tmp_path)

    assert set(config.instances) == set(BLOCKS)
    assert [rule.name for rule in config.rules] == ["roadmap"]


def test_the_example_as_it_stands_wants_the_tokens_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for instance in ("JIRA_MAIN", "LINEAR", "NOTION"):
        monkeypatch.setenv(f"OPSYNC_{instance}__TOKEN", "from-the-environment")

    config = load(tomllib.loads(EXAMPLE.read_text(encoding="utf-8")), tmp_path)

    assert config.secrets == ("from-the-environment",) * 3


def test_the_example_writes_nothing_before_its_reader_says_so(tmp_path: Path) -> None:
    config = load(uncommented(), tmp_path)

    assert set(config.modes.values()) == {"observe"}


def test_the_example_shows_each_way_to_name_a_metric(tmp_path: Path) -> None:
    metrics = load(uncommented(), tmp_path).rules[0].metrics

    assert {(one.kind, bool(one.property)) for one in metrics} == {
        (kind, taken_from) for kind in MetricKind for taken_from in (True, False)
    }


def test_the_wording_of_the_example_is_the_english_one(tmp_path: Path) -> None:
    assert load(uncommented(), tmp_path).words.settings() == ENGLISH.settings()
