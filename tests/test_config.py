"""The configuration: where settings come from, and one clear line for each that is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from opsync.config import Config, build, find, find_store, read
from opsync.errors import ConfigError
from opsync.model.rules import Mode

SECRET = "lin_api_do_not_tell"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of the machine that the tests run on."""
    for name in list(os.environ):
        if name.startswith("OPSYNC_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(tmp_path / "secrets"))


def linear(**more: Any) -> dict[str, Any]:
    return {"instances": {"linear": {"connector": "linear", "token": SECRET, **more}}}


def jira(**more: Any) -> dict[str, Any]:
    block = {"connector": "jira", "site": "https://harbor.example", "email": "a@b.example"}
    return {**block, "token": SECRET, **more}


def token(config: Config, name: str = "linear") -> str:
    return config.instances[name].settings.token.get_secret_value()  # type: ignore[attr-defined, no-any-return]


def problems(raw: dict[str, Any], **more: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        build(raw, **more)
    assert caught.value.exit_code == 2
    assert SECRET not in "\n".join([str(caught.value), repr(caught.value), *caught.value.problems])
    return list(caught.value.problems)


def test_the_environment_wins_over_secret_files_and_both_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert token(build(linear())) == SECRET

    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "opsync_linear__token").write_text("from-a-file")
    assert token(build(linear())) == "from-a-file"

    monkeypatch.setenv("OPSYNC_LINEAR__TOKEN", "from-the-environment")
    assert token(build(linear())) == "from-the-environment"


def test_two_instances_of_one_connector_have_settings_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPSYNC_JIRA_TWO__TOKEN", "of-two")
    two = jira(site="https://two.example")

    config = build({"instances": {"jira-one": jira(), "jira-two": two}})

    assert (token(config, "jira-one"), token(config, "jira-two")) == (SECRET, "of-two")
    assert config.secrets == (SECRET, "of-two")


def test_general_settings_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSYNC_TIME_ZONE", "Europe/Berlin")
    monkeypatch.setenv("OPSYNC_STORE", "elsewhere.db")

    config = build(linear() | {"time_zone": "UTC"})

    assert config.zone.key == "Europe/Berlin"
    assert config.general.store == Path("elsewhere.db")


@pytest.mark.parametrize(
    ("given", "environ", "found"),
    [
        (None, {}, "conf/own.db"),
        (None, {"OPSYNC_STORE": "env.db"}, "conf/env.db"),
        ("given.db", {}, "here/given.db"),
        ("../given.db", {"OPSYNC_STORE": "env.db"}, "given.db"),
    ],
)
def test_a_store_that_is_typed_starts_at_the_current_folder_and_wins(
    tmp_path: Path,
    given: str | None,
    environ: dict[str, str],
    found: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("conf", "here"):
        (tmp_path / name).mkdir()
    path = tmp_path / "conf/opsync.toml"
    path.write_text('store = "own.db"\n')
    monkeypatch.chdir(tmp_path / "here")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    config = read(path, store=Path(given) if given else None)
    assert config.store.resolve() == tmp_path / found


@pytest.mark.parametrize(
    ("text", "given", "environ", "found"),
    [
        ('store = "data/own.db"\nsory = 1\n', None, {}, "data/own.db"),
        ("allow = [\n\nstore = 'own.db' # here\n", None, {}, "own.db"),
        ('[x]\nstore = "own.db"\n', None, {}, "opsync.db"),
        ("store = 7\n", None, {}, "opsync.db"),
        (None, None, {}, "opsync.db"),
        ('store = "own.db"\n', None, {"OPSYNC_STORE": "env.db"}, "env.db"),
        ('store = "own.db"\n', "given.db", {}, "here/given.db"),
        ('store = "own.db"\n', "given.db", {"OPSYNC_STORE": "/env.db"}, "here/given.db"),
    ],
)
def test_the_store_is_found_whatever_else_is_wrong_with_a_configuration(
    tmp_path: Path,
    text: str | None,
    given: str | None,
    environ: dict[str, str],
    found: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    path = tmp_path / "opsync.toml"
    if text is not None:
        path.write_text(text)
    store = Path(given) if given else None
    assert find_store(path, store, environ) == tmp_path / found
    assert find_store(None, store, {"OPSYNC_CONFIG": str(path), **environ}) == tmp_path / found


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ({"stor": "x"}, 'stor: unknown key; did you mean "store"?'),
        ({"_env_file": "x"}, "_env_file: unknown key"),
        ({"links": {"mod": "apply"}}, 'links.mod: unknown key; did you mean "mode"?'),
        (
            {"links": {"mode": "write"}},
            "links.mode: input should be 'observe', 'propose' or 'apply'",
        ),
        ({"time_zone": "Europe/Berln"}, 'did you mean "Europe/Berlin"?'),
        ({"log_level": "loud"}, "log_level: input should be 'debug'"),
        (linear(tokn="x"), 'instances.linear.tokn: unknown key; did you mean "token"?'),
        (linear(_secrets_dir="/"), "instances.linear._secrets_dir: unknown key"),
        (linear(page_size=251), "instances.linear.page_size: input should be less than"),
        (linear(token=5), 'instances.linear.token: must be a text in quotes, as in "one"'),
        (linear(statuses={"Parked": "later"}), "instances.linear.statuses.Parked: input should"),
        (
            {"instances": {"x": {}}},
            "instances.x.connector: missing; one of: amplitude, jira, linear",
        ),
        (
            {"instances": {"x": {"connector": "linaer"}}},
            'unknown connector "linaer"; did you mean "linear"?',
        ),
        (
            {"instances": {"linear": {"connector": "linear"}}},
            "instances.linear.token: missing; set OPSYNC_LINEAR__TOKEN, or keep it in a file of",
        ),
        (
            {"instances": {"jira-main": jira(site="harbor")}},
            "instances.jira-main.site: must be an address like",
        ),
        ({"instances": {"Jira": jira()}}, "instances.Jira: a name is lower-case letters"),
        ({"instances": {"a--b": jira()}}, "instances.a--b: a name is lower-case letters"),
        (
            {"rollup": [{"name": "r", "roots": {"instance": "lin"}}], **linear()},
            'rollup.r.roots.instance: no instance "lin"; did you mean "linear"?',
        ),
        (
            {"rollup": [{"name": "links", "roots": {"instance": "linear"}}], **linear()},
            'rollup.links.name: "links" is taken',
        ),
        (
            {"rollup": [{"name": "r", "roots": {}, "root": 1}], **linear()},
            'rollup.r.root: unknown key; did you mean "roots"?',
        ),
        ({"plugins_dir": "no-such-folder"}, "plugins_dir: no-such-folder is no folder"),
    ],
)
def test_a_wrong_setting_is_one_line_with_key_reason_and_what_is_right(
    raw: dict[str, Any], line: str
) -> None:
    found = problems(raw)

    assert any(line in one for one in found), found


def test_a_missing_secret_is_never_asked_for_in_the_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It names the folder, and that it is not there."""
    monkeypatch.delenv("OPSYNC_SECRETS_DIR")
    monkeypatch.chdir(tmp_path)
    raw = {"secrets_dir": "kept", "instances": {"linear": {"connector": "linear"}}}
    (told,) = problems(raw)
    assert told == (
        "instances.linear.token: missing; set OPSYNC_LINEAR__TOKEN, or keep it in a file of this "
        f"name in {tmp_path / 'kept'}, which is no folder yet"
    )
    (tmp_path / "kept").mkdir()
    assert problems(raw)[0].endswith(f"this name in {tmp_path / 'kept'}")


def test_a_connector_whose_plugin_failed_is_an_error_with_the_reason_and_no_other_guess(
    tmp_path: Path,
) -> None:
    (tmp_path / "acme.py").write_text("raise RuntimeError('boom')")

    found = problems({"plugins_dir": str(tmp_path), "instances": {"x": {"connector": "acme"}}})

    assert found == [
        'instances.x.connector: connector "acme": its plugin failed to load: RuntimeError: boom'
    ]


def test_all_problems_are_told_at_once() -> None:
    found = problems(
        {
            "instances": {
                "linear": {"connector": "linear"},
                "jira-main": jira(sight="x"),
                "other": {"connector": "nope"},
            }
        }
    )

    assert len(found) == 3


def test_an_unknown_variable_of_an_instance_is_refused_with_the_right_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPSYNC_LINEAR__TOKEM", SECRET)

    (line,) = problems(linear())

    assert line == (
        'OPSYNC_LINEAR__TOKEM: unknown environment variable; did you mean "OPSYNC_LINEAR__TOKEN"?'
    )


@pytest.mark.parametrize("variable", ["OPSYNC_LINEAR__TEAMS", "OPSYNC_LINKS"])
def test_a_variable_that_must_hold_json_says_so_and_hides_its_value(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, SECRET)

    assert [one.split(",")[0] for one in problems(linear())] == [f"{variable}: must be JSON"]


def test_a_secret_of_a_connection_that_cannot_be_read_is_told_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secrets" / "opsync_linear__token"
    file.parent.mkdir()
    file.write_bytes(b"\xff")
    raw = {"instances": {"linear": {"connector": "linear"}}}
    (told,) = problems(raw)
    assert told == (
        "OPSYNC_LINEAR__TOKEN: its file is no text in UTF-8; put the secret into it, and nothing "
        "else"
    )

    def denied(path: Path, **how: Any) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", denied)
    (told,) = problems(raw)
    assert told == (
        f"OPSYNC_LINEAR__TOKEN: {file} cannot be read: Permission denied; let whoever runs opsync "
        "read it"
    )


def test_an_unknown_key_is_told_with_the_file_if_it_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "opsync.toml"
    there = f"unknown key in {path}"
    assert problems({"stor": "x"}, path=path) == [f'stor: {there}; did you mean "store"?']
    assert problems({"_env_file": "x"}, path=path) == [f"_env_file: {there}"]
    rule = {"name": "r", "roots": {"instance": "linear", "knd": "epic"}}
    assert problems(linear() | {"rollup": [rule]}, path=path) == [
        f'rollup.r.roots.knd: {there}; did you mean "kind"?'
    ]
    assert problems(linear(tokn="x"), path=path) == [
        f'instances.linear.tokn: {there}; did you mean "token"?'
    ]
    assert problems(linear(_x=1), path=path) == [f"instances.linear._x: {there}"]

    monkeypatch.setenv("OPSYNC_LINKS", '{"mod": "apply"}')
    assert problems(linear(), path=path) == ['links.mod: unknown key; did you mean "mode"?']


def test_a_list_can_come_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSYNC_LINEAR__TEAMS", '["GRO"]')

    assert build(linear()).instances["linear"].settings.model_dump()["teams"] == ("GRO",)


def test_the_file_is_the_one_given_else_the_variables_else_the_usual_one(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.touch()
    two.touch()

    assert find(one, {"OPSYNC_CONFIG": str(two)}) == one
    assert find(None, {"OPSYNC_CONFIG": str(two)}) == two
    with pytest.raises(ConfigError, match="opsync init"):
        find(None, {"OPSYNC_CONFIG": str(tmp_path / "none.toml")})


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find(tmp_path)
    assert caught.value.message == f"{tmp_path} is a folder, and no configuration"
    assert f"{tmp_path / 'opsync.toml'}" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "why", "step"),
    [
        (b"store = ", "Invalid value", "opsync config check"),
        (b"a = 1\n\xff\xfe", "byte 7 is no UTF-8", "Save it as text in UTF-8"),
    ],
)
def test_a_file_that_is_no_toml_is_named_with_why_and_what_to_do(
    tmp_path: Path, content: bytes, why: str, step: str
) -> None:
    path = tmp_path / "opsync.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=r"opsync\.toml: not valid TOML") as caught:
        read(path)
    assert why in caught.value.message
    assert step in caught.value.hint


@pytest.mark.parametrize("failing", ["read_text", "is_file"])
def test_a_configuration_that_may_not_be_read_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "opsync.toml"
    path.touch()

    def denied(path: Path, **how: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, failing, denied)
    with pytest.raises(ConfigError) as caught:
        read(find(path))
    assert caught.value.message == f"{path} cannot be read: Permission denied"
    assert caught.value.hint.startswith("Let whoever runs opsync read it")


def test_relative_paths_start_at_the_configurations_folder(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    path = tmp_path / "opsync.toml"
    path.write_text('plugins_dir = "plugins"')

    assert read(path).store == tmp_path / "opsync.db"
    assert read(path, store=Path("/elsewhere/x.db")).store == Path("/elsewhere/x.db")


def test_a_mode_on_the_command_line_holds_for_all_rules() -> None:
    raw = linear() | {
        "links": {"mode": "apply"},
        "rollup": [{"name": "r", "mode": "apply", "roots": {"instance": "linear"}}],
    }

    config = build(raw, mode=Mode.observe)

    assert (config.links.mode, config.rules[0].mode) == (Mode.observe, Mode.observe)


def test_nothing_is_written_unless_a_rule_says_so() -> None:
    config = build(linear() | {"rollup": [{"name": "r", "roots": {"instance": "linear"}}]})

    assert (config.links.mode, config.rules[0].mode) == (Mode.observe, Mode.observe)


def test_another_token_does_not_change_how_records_are_read_but_other_settings_do() -> None:
    def fingerprint(**more: Any) -> str:
        return build(linear(**more)).instances["linear"].fingerprint

    assert fingerprint(token="another") == fingerprint()
    assert fingerprint(teams=["GRO"]) != fingerprint()


def test_a_configuration_does_not_show_its_secrets() -> None:
    assert SECRET not in repr(build(linear()))
