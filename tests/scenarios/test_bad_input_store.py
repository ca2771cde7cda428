"""Bad input: the same store opened twice, or unusable; and what the command line makes of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from opsync.cli.root import run
from opsync.errors import StoreError, StoreHeld
from tests.support.world import CANARY, World, troubles


async def test_the_second_that_opens_a_store_is_told_who_holds_it(settled: World) -> None:
    async with settled.session("opsync serve"):
        with pytest.raises(StoreHeld, match="`opsync serve`") as caught:
            await settled.sync()
    assert "process " in caught.value.message
    assert caught.value.exit_code == 4


async def test_while_another_holds_the_store_nothing_is_asked_or_written(settled: World) -> None:
    """I19"""
    requests = {n: v.read_requests + v.write_requests for n, v in settled.vendors.items()}
    async with settled.session("opsync serve"):
        with pytest.raises(StoreHeld):
            await settled.sync()
    assert requests == {n: v.read_requests + v.write_requests for n, v in settled.vendors.items()}
    await settled.silent()


def test_a_held_store_ends_the_command_with_exit_4(
    on_command_line: World, capsys: pytest.CaptureFixture[str]
) -> None:
    async def hold_and_sync() -> int:
        async with on_command_line.session("opsync serve"):
            return await asyncio.to_thread(run, ["sync"])

    assert asyncio.run(hold_and_sync()) == 4
    err = capsys.readouterr().err
    assert "is held by `opsync serve`" in err
    assert "process " in err


async def test_a_damaged_store_is_told_with_the_way_out(settled: World) -> None:
    settled.store_path.write_bytes(b"this is no database" * 500)
    for journal in settled.folder.glob("opsync.db-*"):
        journal.unlink()
    with pytest.raises(StoreError) as caught:
        await settled.sync()
    assert caught.value.exit_code == 5
    assert caught.value.hint


def test_a_damaged_store_ends_the_command_with_exit_5(
    on_command_line: World, capsys: pytest.CaptureFixture[str]
) -> None:
    on_command_line.store_path.write_bytes(b"this is no database" * 500)
    assert run(["sync"]) == 5
    assert str(on_command_line.store_path) in capsys.readouterr().err


def test_sync_ends_with_exit_0_and_the_second_writes_nothing(on_command_line: World) -> None:
    assert run(["sync"]) == 0
    written = on_command_line.written()
    assert all(written.values())
    on_command_line.clock.advance(60)
    assert run(["sync"]) == 0
    assert on_command_line.written() == written


@pytest.mark.sampled
@pytest.mark.parametrize("instance", ["jira-main", "linear", "notion"])
def test_a_refused_sign_in_ends_the_command_with_exit_3_and_names_the_click(
    on_command_line: World, instance: str, capfd: pytest.CaptureFixture[str]
) -> None:
    on_command_line.vendors[instance].faults.refuse_token = True
    assert run(["sync"]) == 3
    out, err = capfd.readouterr()
    assert instance in out + err
    assert "→" in out + err
    assert CANARY not in out + err


def test_a_bad_day_of_one_vendor_ends_the_command_with_exit_1(
    on_command_line: World, capfd: pytest.CaptureFixture[str]
) -> None:
    on_command_line.linear.start_outage()
    assert run(["sync", "--log", "debug"]) == 1
    out, err = capfd.readouterr()
    assert "linear" in out
    assert CANARY not in out + err


def test_no_secret_is_in_the_store_or_the_logs(
    on_command_line: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    on_command_line.jira.add_issue("PAY", "Leak", description=f"The token is {CANARY}-not")
    assert run(["sync", "--log", "debug"]) == 0
    out, err = capfd.readouterr()
    assert "request.answered" in err, "the log is on"
    assert CANARY not in out + err
    for file in tmp_path.glob("opsync.db*"):
        content = file.read_bytes()
        assert f"lin_api_{CANARY}".encode() not in content
        assert f"ntn_{CANARY}".encode() not in content


async def test_after_a_stop_by_a_damaged_store_a_new_one_adopts_what_stands(
    settled: World,
) -> None:
    before = settled.written()
    settled.lose_store()
    report = await settled.sync()
    assert report.exit_code == 0, troubles(report)
    assert settled.written() == before
