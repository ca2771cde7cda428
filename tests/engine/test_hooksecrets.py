"""Secrets of change signals lie beside the store, for its owner alone, two of them for a day."""

from __future__ import annotations

import os
import stat
from itertools import count
from pathlib import Path
from threading import Thread

import pytest

from opsync.config import Instance
from opsync.engine.hooksecrets import HookSecrets, Kept, made_secret
from opsync.errors import StoreError
from opsync_linear.settings import LinearSettings
from tests.support.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def hooks(tmp_path: Path, clock: FakeClock) -> HookSecrets:
    made = count(1)
    return HookSecrets(tmp_path / "opsync.db", clock, lambda: f"made-{next(made)}")


def linear(**settings: str) -> Instance:
    made = LinearSettings(connector="linear", token="lin_api_sandbox", **settings)
    return Instance("linear", "linear", made)


def notion() -> Instance:
    """A connection without a configured secret; of which tool it is makes no difference."""
    return Instance("notion", "linear", linear().settings)


def test_there_are_none_before_one_is_made(hooks: HookSecrets) -> None:
    assert hooks.secrets_of(linear()) == []
    assert hooks.load() == {}
    assert hooks.texts() == []
    assert not hooks.path.exists()


def test_a_secret_is_kept_beside_the_store_for_its_owner_alone(
    hooks: HookSecrets, tmp_path: Path
) -> None:
    assert hooks.rotate("linear") == "made-1"

    assert hooks.path == tmp_path / "opsync.db.hooks"
    assert stat.S_IMODE(hooks.path.stat().st_mode) == 0o600
    assert hooks.secrets_of(linear()) == [b"made-1"]
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "opsync.db.hooks",
        "opsync.db.hooks.lock",
    ]


def test_the_one_before_is_taken_for_a_day(hooks: HookSecrets, clock: FakeClock) -> None:
    hooks.rotate("linear")
    hooks.rotate("linear")

    assert hooks.secrets_of(linear()) == [b"made-2", b"made-1"]
    assert hooks.texts() == ["made-2", "made-1"]
    clock.advance(24 * 3600 - 0.5)
    assert hooks.secrets_of(linear()) == [b"made-2", b"made-1"]
    clock.advance(0.5)
    assert hooks.secrets_of(linear()) == [b"made-2"]


def test_one_that_is_out_of_force_leaves_the_file_with_the_next_change(
    hooks: HookSecrets, clock: FakeClock
) -> None:
    hooks.rotate("linear")
    hooks.rotate("linear")
    clock.advance(24 * 3600)
    hooks.put("notion", "told-by-notion")

    assert b"made-1" not in hooks.path.read_bytes()
    assert hooks.secrets_of(linear()) == [b"made-2"]


def test_only_two_are_in_force_however_often_it_is_rotated(hooks: HookSecrets) -> None:
    for _ in range(4):
        hooks.rotate("linear")

    assert hooks.secrets_of(linear()) == [b"made-4", b"made-3"]


def test_the_same_secret_told_again_changes_nothing(hooks: HookSecrets) -> None:
    hooks.put("linear", "told")
    before = hooks.path.stat()
    hooks.put("linear", "told")

    assert hooks.secrets_of(linear()) == [b"told"]
    assert hooks.path.stat() == before


def test_what_people_configured_is_taken_first_and_besides(hooks: HookSecrets) -> None:
    configured = linear(
        webhook_secret="from-the-environment", webhook_secret_before="from-last-month-x"
    )
    assert hooks.secrets_of(configured) == [b"from-the-environment", b"from-last-month-x"]

    hooks.rotate("linear")

    assert hooks.secrets_of(configured)[2:] == [b"made-1"]


def test_one_secret_in_both_places_counts_once(hooks: HookSecrets) -> None:
    hooks.put("linear", "from-the-environment")

    found = hooks.secrets_of(linear(webhook_secret="from-the-environment"))

    assert found == [b"from-the-environment"]


def test_a_rotation_that_the_tool_did_not_take_is_taken_back(hooks: HookSecrets) -> None:
    hooks.rotate("linear")
    hooks.rotate("linear")
    hooks.take_back("linear")
    assert hooks.secrets_of(linear()) == [b"made-1"]

    hooks.take_back("linear")
    assert hooks.secrets_of(linear()) == []


def test_what_the_tool_told_is_taken_before_it_is_proven(hooks: HookSecrets) -> None:
    hooks.tell("notion", "told-first")

    assert hooks.told("notion") == "told-first"
    assert hooks.told("linear") == ""
    assert hooks.load()["notion"].secret == ""
    assert hooks.texts() == ["told-first"]
    assert hooks.secrets_of(notion()) == [b"told-first"]

    hooks.tell("notion", "told-again")
    assert hooks.secrets_of(notion()) == [b"told-again"]


def test_what_is_proven_is_the_secret_and_the_one_before_counts_for_a_day(
    hooks: HookSecrets, clock: FakeClock
) -> None:
    hooks.tell("notion", "first")
    clock.advance(60)
    hooks.prove("notion", "first")
    assert hooks.load()["notion"] == Kept("first", clock.now())

    hooks.tell("notion", "second")
    assert hooks.secrets_of(notion()) == [b"first", b"second"]
    clock.advance(7 * 24 * 3600)
    assert hooks.secrets_of(notion()) == [b"first", b"second"], "as long as it is not proven"
    assert hooks.texts() == ["first", "second"]
    hooks.prove("notion", "second")

    assert hooks.secrets_of(notion()) == [b"second", b"first"]
    assert hooks.told("notion") == ""
    clock.advance(24 * 3600)
    assert hooks.secrets_of(notion()) == [b"second"]


@pytest.mark.parametrize("token", ["", "other", "first"])
def test_only_what_was_told_is_proven(hooks: HookSecrets, token: str) -> None:
    hooks.tell("notion", "first")
    hooks.prove("notion", "first")
    hooks.tell("notion", "second")
    hooks.prove("notion", token)
    hooks.prove("nobody", token)

    assert hooks.secrets_of(notion()) == [b"first", b"second"]
    assert hooks.told("notion") == "second"
    assert list(hooks.load()) == ["notion"]


def test_nothing_is_proven_where_nothing_was_told(hooks: HookSecrets) -> None:
    hooks.put("notion", "first")
    hooks.prove("notion", "")

    assert hooks.secrets_of(notion()) == [b"first"]


def test_what_is_in_force_and_told_again_needs_no_proof(hooks: HookSecrets) -> None:
    hooks.tell("notion", "first")
    hooks.prove("notion", "first")
    hooks.tell("notion", "other")
    hooks.tell("notion", "first")

    assert hooks.told("notion") == ""
    assert hooks.secrets_of(notion()) == [b"first"]


def test_what_was_told_and_not_proven_is_dropped_and_what_was_is_not(hooks: HookSecrets) -> None:
    hooks.drop_told("notion")
    hooks.tell("notion", "first")
    hooks.tell("linear", "first")
    hooks.drop_told("notion")
    assert list(hooks.load()) == ["linear"]

    hooks.prove("linear", "first")
    hooks.tell("linear", "second")
    hooks.drop_told("linear")
    assert hooks.told("linear") == ""
    assert hooks.secrets_of(linear()) == [b"first"]


def test_a_forgotten_connection_has_none_and_others_keep_theirs(hooks: HookSecrets) -> None:
    hooks.rotate("linear")
    hooks.rotate("notion")
    hooks.forget("linear")
    hooks.forget("nobody")

    assert hooks.secrets_of(linear()) == []
    assert list(hooks.load()) == ["notion"]


def test_what_another_process_changed_is_seen(hooks: HookSecrets, clock: FakeClock) -> None:
    other = HookSecrets(hooks.path.with_name("opsync.db"), clock)
    hooks.put("linear", "first-secret")
    assert other.secrets_of(linear()) == [b"first-secret"]
    hooks.put("linear", "other-secret")

    assert other.secrets_of(linear()) == [b"other-secret", b"first-secret"]
    hooks.path.unlink()
    assert other.secrets_of(linear()) == []


def test_changes_at_the_same_time_are_all_kept(tmp_path: Path, clock: FakeClock) -> None:
    def put(number: int) -> None:
        HookSecrets(tmp_path / "opsync.db", clock).put(f"connection-{number}", f"s{number}")

    threads = [Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(HookSecrets(tmp_path / "opsync.db", clock).load()) == 8


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"linear": {}}', b"\xff"])
def test_a_damaged_file_is_told_and_none_of_it_is_taken(hooks: HookSecrets, text: bytes) -> None:
    hooks.path.write_bytes(text)

    with pytest.raises(StoreError, match=r"opsync\.db\.hooks is damaged"):
        hooks.secrets_of(linear())
    with pytest.raises(StoreError, match="damaged"):
        hooks.rotate("linear")
    assert hooks.path.read_bytes() == text


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="cannot be used"):
        HookSecrets(tmp_path / "file" / "opsync.db", clock).put("linear", "secret")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="cannot be used: Not a directory") as told:
        HookSecrets(tmp_path / "file" / "opsync.db", clock).secrets_of(linear())
    assert "beside the store" in told.value.hint


def test_a_disk_that_is_full_is_told_and_leaves_what_was_there(
    hooks: HookSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks.rotate("linear")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreError, match="No space left"):
        hooks.rotate("linear")

    assert hooks.secrets_of(linear()) == [b"made-1"]
    assert not list(hooks.path.parent.glob("*.new"))


def test_what_a_process_that_died_left_is_in_nobodys_way(hooks: HookSecrets) -> None:
    left = hooks.path.with_name(f"{hooks.path.name}.{os.getpid()}.new")
    left.write_text("half a file")

    hooks.rotate("linear")

    assert hooks.secrets_of(linear()) == [b"made-1"]
    assert not left.exists()


def test_the_folder_is_made_where_it_is_not_there(tmp_path: Path, clock: FakeClock) -> None:
    made = HookSecrets(tmp_path / "data" / "opsync" / "opsync.db", clock)
    made.put("linear", "first")
    made.put("linear", "second")

    assert made.secrets_of(linear()) == [b"second", b"first"]


def test_there_is_nothing_to_take_back_before_there_is_one(hooks: HookSecrets) -> None:
    hooks.take_back("nobody")

    assert hooks.load() == {}


def test_nothing_shows_a_secret_by_accident(hooks: HookSecrets) -> None:
    hooks.put("linear", "the-secret-itself")

    assert "the-secret-itself" not in repr(hooks.load()) + repr(hooks)


def test_a_made_secret_has_more_than_24_random_bytes() -> None:
    made = {made_secret() for _ in range(50)}

    assert len(made) == 50
    assert all(len(one) >= 43 and one.replace("-", "a").replace("_", "a").isalnum() for one in made)


@pytest.mark.parametrize("secret", ["", "   ", "x" * 15])
def test_a_configured_secret_that_could_be_guessed_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook_secret"):
        linear(webhook_secret=secret)
    assert linear(webhook_secret="x" * 16)


def test_a_secret_that_changes_has_nothing_read_anew() -> None:
    assert linear(webhook_secret="x" * 16).reads_as == linear().reads_as
