"""Plugins: found, isolated, checked, and shown with what became of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from opsync.errors import PluginError
from opsync.plugins import PluginInfo, Plugins, load

Drop = Callable[[str, str], None]

GOOD = """
    from opsync import Connector, ConnectorSettings, hookimpl

    class Good(Connector[ConnectorSettings]):
        name = "good"
        title = "Good"
        settings_type = ConnectorSettings

    @hookimpl
    def register_connectors():
        return [Good]
"""


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    """Put a drop-in plugin into the folder."""

    def put(name: str, text: str) -> None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(dedent(text), encoding="utf-8")

    return put


def info(plugins: Plugins, name: str) -> PluginInfo:
    return next(one for one in plugins.infos if one.name == name)


def test_an_entry_point_is_imported_only_if_an_instance_or_allow_names_it() -> None:
    plugins = load(wanted=["linear"], allow=["notion"])

    assert {one.name: one.state for one in plugins.infos} == {
        "amplitude": "not loaded",
        "jira": "not loaded",
        "linear": "loaded",
        "mixpanel": "not loaded",
        "notion": "loaded",
        "posthog": "not loaded",
    }
    assert "no instance uses it" in info(plugins, "jira").why


def test_a_loaded_plugin_shows_origin_contract_and_capabilities() -> None:
    shown = info(load(wanted=["jira"]), "jira")

    assert shown.origin.startswith("opsync ")
    assert shown.contract == 1
    assert shown.connectors == ("jira",)
    assert shown.capabilities == ("reads", "writes", "webhooks", "doctor")


def test_there_is_no_default_folder_for_drop_ins(
    tmp_path: Path, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop("good.py", GOOD)
    monkeypatch.chdir(tmp_path)

    assert "good" not in load(wanted=()).connectors


def test_files_and_packages_in_the_folder_are_drop_ins_but_for_hidden_ones(
    tmp_path: Path, drop: Drop
) -> None:
    drop("good.py", GOOD)
    drop("pack/__init__.py", GOOD.replace('"good"', '"packed"'))
    drop("_helper.py", "raise AssertionError")
    drop(".hidden.py", "raise AssertionError")
    drop("notes.txt", "no Python")

    plugins = load(wanted=(), plugins_dir=tmp_path)

    assert set(plugins.connectors) == {"good", "packed"}
    assert [i.origin for i in plugins.infos if i.state == "loaded"] == [
        "drop-in good.py",
        "drop-in pack",
    ]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="is no folder"):
        load(wanted=(), plugins_dir=tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import not_there_at_all", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        (GOOD.replace("return [Good]", "return [3]"), "no subclass of opsync.Connector"),
        (GOOD.replace('        name = "good"\n', ""), "does not state `name`"),
        (GOOD.replace("settings_type = ConnectorSettings", "settings_type = int"), "settings_type"),
        (GOOD.replace('title = "Good"', 'title = "Good"; contract = 99'), "contract 99"),
        (GOOD.replace("return [Good]", "return [Good, Good]"), "already brings"),
        (
            """
            from opsync import hookimpl

            @hookimpl
            def veto_change(chance): ...
            """,
            "chance",
        ),
        (
            """
            from opsync import hookimpl

            @hookimpl
            def veto_chance(change): ...
            """,
            "veto_chance",
        ),
    ],
)
def test_a_plugin_that_fails_stays_visible_and_harms_no_other(
    tmp_path: Path, drop: Drop, text: str, why: str
) -> None:
    drop("bad.py", text)
    drop("good_one.py", GOOD.replace('"good"', '"other"'))

    plugins = load(wanted=(), plugins_dir=tmp_path)

    assert info(plugins, "bad").state == "failed"
    assert why in info(plugins, "bad").why
    assert set(plugins.connectors) == {"other"}
    assert plugins.manager.hook.veto_change(change=None) is None


def test_a_connector_that_lacks_a_method_is_refused_with_the_methods_name(
    tmp_path: Path, drop: Drop
) -> None:
    drop(
        "half.py",
        GOOD.replace("hookimpl\n", "Readable, hookimpl\n", 1).replace(
            "Connector[ConnectorSettings])", "Connector[ConnectorSettings], Readable)"
        ),
    )

    assert info(load(wanted=(), plugins_dir=tmp_path), "half").why == (
        "Good lacks feeds, normalize, pull"
    )


def test_a_connector_that_lists_ids_and_cannot_be_read_is_refused(
    tmp_path: Path, drop: Drop
) -> None:
    methods = "    def listing(self, feed): ...\n        async def look_up(self, *given): ...\n"
    text = GOOD.replace("hookimpl\n", "Census, hookimpl\n", 1)
    text = text.replace("Connector[ConnectorSettings])", "Connector[ConnectorSettings], Census)")
    drop("lists.py", text.replace('    title = "Good"\n', f'    title = "Good"\n    {methods}', 1))

    assert "cannot be read" in info(load(wanted=(), plugins_dir=tmp_path), "lists").why


def test_a_second_connector_of_the_same_name_is_refused(tmp_path: Path, drop: Drop) -> None:
    drop("one.py", GOOD)
    drop("two.py", GOOD)

    plugins = load(wanted=(), plugins_dir=tmp_path)

    assert info(plugins, "one").state == "loaded"
    assert "already brings" in info(plugins, "two").why


def test_asking_for_a_connector_of_a_failed_plugin_says_why(tmp_path: Path, drop: Drop) -> None:
    drop("acme.py", "raise RuntimeError('boom')")
    plugins = load(wanted=(), plugins_dir=tmp_path)

    with pytest.raises(PluginError, match=r"acme.*boom"):
        plugins.connector("acme")


def test_asking_for_an_unknown_connector_names_the_plugins_that_failed(
    tmp_path: Path, drop: Drop
) -> None:
    drop("acme_file.py", "raise RuntimeError('boom')")
    plugins = load(wanted=(), plugins_dir=tmp_path)

    with pytest.raises(PluginError, match=r"unknown connector .acme. .*acme_file.*boom"):
        plugins.connector("acme")


def test_hooks_of_a_drop_in_are_called(tmp_path: Path, drop: Drop) -> None:
    drop(
        "hooks.py",
        """
        from opsync import hookimpl

        @hookimpl
        def register_link_rules():
            return [lambda record: ["PAY-1"]]

        @hookimpl
        def register_rollups():
            return [lambda root, rollup, on: None]

        @hookimpl
        def veto_change(change):
            return f"no {change}"
        """,
    )

    plugins = load(wanted=(), plugins_dir=tmp_path)

    assert len(plugins.link_rules) == 1
    assert len(plugins.health_rules) == 1
    assert plugins.manager.hook.veto_change(change="way") == "no way"
