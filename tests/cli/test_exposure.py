"""What others on the machine could read or change is told, and what opsync makes is its owner's."""

from __future__ import annotations

import stat

import pytest

from opsync.cli.root import TRACEBACK
from tests.cli.conftest import Company


def warnings(company: Company) -> list[str]:
    found: list[str] = company.opsync("config", "check", "--json").json["warnings"]
    return found


def test_a_configuration_with_a_secret_that_everybody_may_read_is_told(company: Company) -> None:
    file = company.folder / "opsync.toml"
    file.chmod(0o644)
    in_clear, open_to_all = warnings(company)
    assert in_clear.startswith("instances.work.token stands in the configuration")
    assert open_to_all == (
        f"everybody on this machine may read {file} with its secrets: chmod 600 {file}"
    )
    file.chmod(0o640)
    assert warnings(company) == [in_clear]
    file.write_text(file.read_text().replace('token = "s3cr3t-t0k3n"', ""))
    file.chmod(0o644)
    assert warnings(company) == []


def test_a_secret_file_that_everybody_may_read_is_told(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    (company.folder / "opsync.toml").chmod(0o600)
    folder = company.folder / "secrets"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(folder))
    secret = folder / "opsync_roadmap__token"
    secret.write_text("another-s3cr3t")
    secret.chmod(0o644)
    (folder / "README").write_text("of somebody else")
    assert warnings(company)[1:] == [
        f"everybody on this machine may read {secret}: chmod 600 {secret}"
    ]
    folder.chmod(0o700)
    assert warnings(company)[1:] == []
    folder.chmod(0o755)
    secret.chmod(0o600)
    assert warnings(company)[1:] == []


def test_a_folder_of_plugins_that_everybody_may_change_is_told(company: Company) -> None:
    (company.folder / "opsync.toml").chmod(0o600)
    folder = company.folder / "plugins"
    assert len(warnings(company)) == 1
    folder.chmod(0o777)
    assert warnings(company)[1].endswith(f"which opsync runs: chmod o-w {folder}")


def test_a_secret_that_may_be_left_out_is_told_like_any_other(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = company.folder / "opsync.toml"
    file.chmod(0o600)
    monkeypatch.setenv("OPSYNC_USAGE__API_KEY", "x" * 20)
    monkeypatch.setenv("OPSYNC_USAGE__SECRET_KEY", "y" * 20)
    block = '\n[instances.usage]\nconnector = "amplitude"\nproject = "1"\n'
    file.write_text(f'{file.read_text()}{block}management_key = "{"z" * 20}"\n')
    told = [line for line in warnings(company) if "usage" in line]
    assert [line.partition(" stands")[0] for line in told] == ["instances.usage.management_key"]


def test_what_people_sign_in_with_is_told_like_a_token_and_shown_nowhere(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = company.folder / "opsync.toml"
    file.chmod(0o600)
    access = '\n[service.access]\ntoken = "s1gn-1n-t0k3n-abc"\n'
    users = '[service.access.users.ana]\npassword = "s1gn-1n-w0rd-of-ana"\nrole = "approve"\n'
    file.write_text(f"{file.read_text()}{access}{users}")
    monkeypatch.setenv("OPSYNC_SERVICE__ACCESS__READ_TOKEN", "s1gn-1n-t0-l00k-at")
    told = [line for line in warnings(company) if "sign in" in line]
    keys = [
        line.partition(" stands in the configuration, and whoever knows it")[0] for line in told
    ]
    assert keys == ["service.access.token", "service.access.users.ana.password"]
    assert [line.rpartition(" ")[2] for line in told] == [
        "OPSYNC_SERVICE__ACCESS__TOKEN",
        "OPSYNC_SERVICE__ACCESS__USERS__ANA__PASSWORD",
    ]
    settings = company.opsync("config", "show", "--json").json["settings"]
    shown = {one["key"]: (one["value"], one["from"]) for one in settings}
    assert shown["service.access.token"] == ("**********", "file")
    assert shown["service.access.users.ana.password"] == ("**********", "file")
    assert shown["service.access.users.ana.role"] == ("approve", "file")
    assert shown["service.access.read_token"] == (
        "**********",
        "environment OPSYNC_SERVICE__ACCESS__READ_TOKEN",
    )
    assert shown["service.listen"] == ("127.0.0.1:8484", "default")


def test_secrets_in_lists_and_tables_of_a_plugin_are_hidden_too(company: Company) -> None:
    text = (
        "from pydantic import SecretStr\n"
        "from tests.cli.toy import Toy, ToySettings\n"
        "from opsync import hookimpl\n"
        "class Keys(ToySettings):\n"
        "    keys: tuple[SecretStr, ...] = ()\n"
        "    by_name: dict[str, SecretStr] = {}\n"
        "class Many(Toy):\n"
        "    name = 'many'\n"
        "    settings_type = Keys\n"
        "    async def feeds(self):\n"
        "        found = [*self.settings.keys, *self.settings.by_name.values()]\n"
        "        raise RuntimeError(' '.join(one.get_secret_value() for one in found))\n"
        "@hookimpl\n"
        "def register_connectors():\n"
        "    return [Many]\n"
    )
    (company.folder / "plugins" / "many.py").write_text(text)
    file = company.folder / "opsync.toml"
    block = '\n[instances.many]\nconnector = "many"\nfile = "x"\nkeys = ["canary-in-a-list"]\n'
    file.write_text(f'{file.read_text()}{block}by_name = {{ a = "canary-in-a-table" }}\n')
    result = company.opsync("sync", "--log", "debug")
    assert "RuntimeError: *** ***" in result.out + result.err
    assert "canary" not in result.out + result.err
    assert "canary" not in company.opsync("config", "show").out


def test_a_plan_in_a_file_is_for_its_owner_only(company: Company) -> None:
    file = company.folder / "plan.json"
    assert company.opsync("plan", "--out", str(file)).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_traceback_is_asked_for_and_has_no_control_characters(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(this: object) -> None:
        raise ZeroDivisionError("a\x1b[2Jb\x9b31m\u202ec s3cr3t-t0k3n")

    monkeypatch.setattr("opsync.engine.session.run_pass", broken)
    result = company.opsync("sync")
    assert (result.code, "Traceback" in result.err) == (70, False)
    monkeypatch.setenv(TRACEBACK, "1")
    result = company.opsync("sync")
    assert result.code == 70
    assert "Traceback (most recent call last):" in result.err
    assert '  File "' in result.err, "its lines keep their shape"
    assert "ZeroDivisionError: a[2Jb31mc ***" in result.err


def test_why_a_plugin_did_not_load_is_told_without_a_secret(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSYNC_WORK__TOKEN", "canary-of-the-environment")
    text = "import os\nraise RuntimeError(os.environ['OPSYNC_WORK__TOKEN'])\n"
    (company.folder / "plugins" / "curious.py").write_text(text)
    for args in (("plugins",), ("plugins", "--json"), ("config", "check"), ("sync",)):
        result = company.opsync(*args)
        assert "canary" not in result.out + result.err, args
    assert "RuntimeError: ***" in company.opsync("plugins").out


@pytest.mark.parametrize("where", ["file", "environment", "secret file"])
@pytest.mark.parametrize("raised", ["ValueError", "TypeError"])
def test_a_plugin_s_own_check_that_quotes_a_secret_does_not_show_it(
    company: Company, monkeypatch: pytest.MonkeyPatch, where: str, raised: str
) -> None:
    text = (
        "from pydantic import SecretStr, field_validator\n"
        "from tests.cli.toy import Toy, ToySettings\n"
        "from opsync import hookimpl\n"
        "class Strict(ToySettings):\n"
        "    code: SecretStr | None = None\n"
        "    @field_validator('code')\n"
        "    @classmethod\n"
        "    def _right(cls, value):\n"
        f"        raise {raised}(f'no code: {{value.get_secret_value()!r}}')\n"
        "class Checked(Toy):\n"
        "    name = 'checked'\n"
        "    settings_type = Strict\n"
        "@hookimpl\n"
        "def register_connectors():\n"
        "    return [Checked]\n"
    )
    (company.folder / "plugins" / "checked.py").write_text(text)
    block = '\n[instances.checked]\nconnector = "checked"\nfile = "x"\n'
    if where == "file":
        block += "code = 'canary\"of-a-check'\n"
    elif where == "environment":
        monkeypatch.setenv("OPSYNC_CHECKED__CODE", 'canary"of-a-check')
    else:
        (company.folder / "kept").mkdir(mode=0o700)
        (company.folder / "kept" / "OPSYNC_CHECKED__CODE").write_text('canary"of-a-check\n')
        monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(company.folder / "kept"))
    file = company.folder / "opsync.toml"
    file.write_text(file.read_text() + block)
    for args in (("config", "check"), ("config", "check", "--json"), ("sync", "--log", "debug")):
        result = company.opsync(*args)
        assert result.code == 2
        assert "no code: " in result.out + result.err
        assert "canary" not in result.out + result.err
