"""Plugins: only those that are named are run, none by another's name, each with its own secrets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from textwrap import dedent

import pytest

from opsync import plugins as loader
from opsync.config import build
from opsync.contract.connector import Context
from opsync.errors import PluginError
from opsync.plugins import PluginInfo, load

BUNDLED = ("amplitude", "jira", "linear", "mixpanel", "notion", "posthog")

IMPOSTOR = """
    from opsync import Connector, ConnectorSettings, hookimpl

    class Impostor(Connector[ConnectorSettings]):
        name = "{name}"
        title = "Jira"
        settings_type = ConnectorSettings

    @hookimpl
    def register_connectors():
        return [Impostor]
"""


def drop(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(dedent(text), encoding="utf-8")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Other people's distributions: entry points by name, each a module with the text given."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    texts: dict[str, str] = {}
    real = loader._installed()

    def found() -> tuple[tuple[EntryPoint, str], ...]:
        mine = []
        for number, (name, text) in enumerate(texts.items()):
            module = f"foreign_{number}"
            (site / f"{module}.py").write_text(dedent(text), encoding="utf-8")
            info = site / f"foreign_{number}-1.0.dist-info"
            info.mkdir(exist_ok=True)
            (info / "METADATA").write_text(f"Name: foreign-{number}\nVersion: 1.0\n")
            point = EntryPoint(name, module, "opsync")
            point = point._for(Distribution.at(info))  # type: ignore[attr-defined]
            mine.append((point, f"foreign-{number} 1.0"))
        return (*mine, *real)

    monkeypatch.setattr(loader, "_installed", found)
    yield texts
    for name in [one for one in sys.modules if one.startswith("foreign_")]:
        del sys.modules[name]


def infos(found: loader.Plugins, origin: str) -> PluginInfo:
    return next(one for one in found.infos if one.origin.startswith(origin))


@pytest.mark.parametrize("name", BUNDLED)
def test_no_drop_in_takes_the_name_of_a_bundled_connector(tmp_path: Path, name: str) -> None:
    drop(tmp_path / "p", "own", IMPOSTOR.format(name=name))
    for wanted in ([], [name]):
        found = load(wanted=wanted, plugins_dir=tmp_path / "p")
        told = infos(found, "drop-in own")
        assert (told.state, "bundled" in told.why) == ("failed", True)
        assert set(found.connectors) == set(wanted)
        assert all(one.__module__.startswith("opsync_") for one in found.connectors.values())


def test_no_installed_plugin_takes_it_either_whatever_it_is_called(
    installed: dict[str, str],
) -> None:
    installed["aaa"] = IMPOSTOR.format(name="jira")
    installed["jira"] = IMPOSTOR.format(name="other")
    found = load(wanted=["jira"], allow=["aaa"])
    assert found.connectors["jira"].__module__.startswith("opsync_jira")
    assert set(found.connectors) == {"jira"}
    assert [infos(found, f"foreign-{number}").state for number in (0, 1)] == ["failed", "failed"]
    assert "foreign_1" not in sys.modules, "what has a bundled name is not even imported"


def test_what_nobody_named_is_listed_and_not_run(installed: dict[str, str]) -> None:
    installed["quiet"] = "raise AssertionError('it was run')"
    told = infos(load(wanted=["jira"]), "foreign-0")
    assert (told.name, told.state) == ("quiet", "not loaded")
    assert "foreign_0" not in sys.modules
    assert infos(load(wanted=[], allow=["quiet"]), "foreign-0").state == "failed"


def test_a_file_beside_the_configuration_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path, tmp_path / "plugins"):
        drop(folder, "opsync_evil", "raise SystemExit('it was run')")
    monkeypatch.chdir(tmp_path)
    assert build({}).plugins.connectors == {}


@pytest.mark.parametrize("contract", [0, 2, 99, "'1'", None])
def test_a_plugin_for_another_contract_is_refused(tmp_path: Path, contract: object) -> None:
    text = IMPOSTOR.format(name="own").replace(
        'title = "Jira"', f'title = "Own"; contract = {contract}'
    )
    drop(tmp_path / "p", "own", text)
    told = infos(load(wanted=[], plugins_dir=tmp_path / "p"), "drop-in own")
    assert told.state == "failed"
    assert "contract" in told.why


def test_a_connector_that_was_asked_for_and_refused_is_an_error(tmp_path: Path) -> None:
    drop(tmp_path / "p", "own", "raise RuntimeError('no')")
    with pytest.raises(PluginError, match="failed to load"):
        load(wanted=[], plugins_dir=tmp_path / "p").connector("own")


def test_a_connector_is_given_its_own_settings_and_client_and_nothing_else() -> None:
    """No configuration, no store, no pool and no other connection hangs on what it gets."""
    assert {one.name for one in fields(Context)} == {"instance", "http", "runtime", "kept", "words"}
    config = build(
        {
            "instances": {
                "linear": {"connector": "linear", "token": "lin_api_own-canary"},
                "posthog": {"connector": "posthog", "token": "phx_own-canary", "project": "1"},
            }
        }
    )
    for name, instance in config.instances.items():
        secrets = [
            value.get_secret_value()
            for value in dict(instance.settings).values()
            if hasattr(value, "get_secret_value")
        ]
        assert len(secrets) == 1
        policy = config.plugins.connector(name).policy(name, instance.settings)
        assert policy is not None
        sent = " ".join(policy.headers.values())
        others = set(config.secrets) - set(secrets)
        assert secrets[0] in sent
        assert not any(other in sent for other in others)
