"""A configuration and its secrets are written to the end, or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from opsync.cli.init.files import Secrets, as_named, check_folder, check_free, put
from opsync.errors import ConfigError

SECRETS = {"OPSYNC_LINEAR__TOKEN": "s3cr3t-t0k3n"}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_only_the_owner_may_open_the_secrets(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        put(tmp_path / "opsync.toml", "x = 1\n", Secrets(tmp_path / "a" / "secrets", SECRETS))
    finally:
        os.umask(before)

    folder = tmp_path / "a" / "secrets"
    assert (mode(folder), mode(folder / "OPSYNC_LINEAR__TOKEN")) == (0o700, 0o600)
    assert (folder / "OPSYNC_LINEAR__TOKEN").read_text() == "s3cr3t-t0k3n"
    assert sorted(path.name for path in folder.iterdir()) == [".gitignore", "OPSYNC_LINEAR__TOKEN"]
    assert (tmp_path / "opsync.toml").read_text() == "x = 1\n"


def test_a_folder_that_is_there_keeps_what_it_has_and_gets_no_rule_for_git(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o700)
    (folder / "letter").write_text("mine")
    (folder / "OPSYNC_LINEAR__TOKEN").write_text("old")

    put(tmp_path / "opsync.toml", "", Secrets(folder, SECRETS))

    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "letter": "mine",
        "OPSYNC_LINEAR__TOKEN": "s3cr3t-t0k3n",
    }


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(28, "No space left", "x")])
def test_what_is_stopped_on_the_way_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    replace = Path.replace

    def breaks(self: Path, target: Path) -> Path:
        if Path(target).suffix == ".toml":
            raise failure
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", breaks)

    with pytest.raises((KeyboardInterrupt, ConfigError)):
        put(tmp_path / "opsync.toml", "", Secrets(tmp_path / "secrets", SECRETS))

    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_not_in_the_words_of_what_holds_it() -> None:
    assert "s3cr3t" not in repr(Secrets(Path("x"), SECRETS))


def test_an_existing_file_and_a_folder_that_is_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "opsync.toml").write_text("mine")

    with pytest.raises(ConfigError, match="exists and is left as it is"):
        check_free(tmp_path / "opsync.toml", force=False)
    check_free(tmp_path / "opsync.toml", force=True)
    with pytest.raises(ConfigError, match="there is no folder"):
        check_free(tmp_path / "none" / "opsync.toml", force=False)


@pytest.mark.parametrize("bits", [0o750, 0o705, 0o755])
def test_a_folder_that_others_may_look_into_is_refused(tmp_path: Path, bits: int) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(bits)
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="others may look into"):
        check_folder(tmp_path / "open")
    with pytest.raises(ConfigError, match="is no folder"):
        check_folder(tmp_path / "file")


def test_the_folder_is_named_relative_to_the_file_where_it_is_below(tmp_path: Path) -> None:
    out = tmp_path / "conf" / "opsync.toml"

    assert as_named(tmp_path / "conf" / "secrets", out) == "secrets"
    assert as_named(tmp_path / "elsewhere", out) == str(tmp_path / "elsewhere")
