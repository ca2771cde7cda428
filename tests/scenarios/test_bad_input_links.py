"""Bad input: decisions about pairs that cannot be taken as they are."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from opsync.cli.root import run
from tests.support.world import World

Capture = pytest.CaptureFixture[str]


def links(capfd: Capture, *args: str) -> tuple[int, list[str], list[str]]:
    """Run `opsync links`; its exit code and the lines of both outputs."""
    capfd.readouterr()
    code = run(["links", *args])
    out, err = capfd.readouterr()
    return code, out.splitlines(), err.splitlines()


def synced(world: World, capfd: Capture) -> None:
    assert run(["sync"]) == 0, capfd.readouterr().err
    capfd.readouterr()


def test_a_csv_with_unknown_or_ambiguous_items(
    on_command_line: World, tmp_path: Path, capfd: Capture
) -> None:
    """Each line told, the good ones taken, nothing doubled."""
    synced(on_command_line, capfd)
    file = tmp_path / "pairs.csv"
    rows = [
        ("one", "two", "kind", "verdict", "note"),
        ("Loyalty", "GRO-3", "", "", "agreed on Monday"),
        ("Loyalty", "PAY-9999", "", "", ""),
        ("Loyalty", "Points", "", "", ""),
        ("PAY-4", "GRO-2", "related", "accepted", ""),
        ("", "GRO-2", "", "", ""),
        ("PAY-4", "GRO-3", "twin", "", ""),
        ("GRO-3", "Loyalty", "member", "accepted", ""),
    ]
    with file.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows(rows)
    code, out, err = links(capfd, "import", str(file))
    assert code == 1
    assert out == ["taken: 2 new, 0 changed, 0 known, 4 lines left out"]
    assert err == [
        'line 3: nothing is called "PAY-9999"',
        (
            'line 4: "Points" may be any of 2 items: '
            "MOB-2 Points ledger (Jira), MOB-3 Points screen (Jira)"
        ),
        'line 6: "one" is empty',
        'line 7: "kind" is member or same or related, not "twin"',
    ]
    code, out, _ = links(capfd, "import", str(file))
    assert code == 1
    assert out == ["taken: 0 new, 0 changed, 2 known, 4 lines left out"]
    synced(on_command_line, capfd)
    assert on_command_line.loyalty.text("Delivery").startswith("1 of 3 done")
    assert [title for title, _ in on_command_line.attachments("GRO-2")] == ["PAY-4 Refund flow"]
    _, exported, _ = links(capfd, "export")
    assert len(exported) == 3


def test_an_accepted_link_whose_item_is_gone(on_command_line: World, capfd: Capture) -> None:
    """Shown, kept, not counted; and it counts again when the item comes back."""
    world = on_command_line
    synced(world, capfd)
    assert links(capfd, "accept", "Loyalty", "GRO-3")[0] == 0
    synced(world, capfd)
    assert world.loyalty.text("Delivery").startswith("1 of 3 done")

    issue = world.linear.issue("GRO-3")
    world.linear.trash_issue("GRO-3")
    world.clock.advance(60)
    synced(world, capfd)
    assert world.loyalty.text("Delivery").startswith("1 of 2 done")
    assert "1 linked but not readable" in world.loyalty.text("Delivery")

    _, listed, _ = links(capfd, "Loyalty")
    (row,) = [line for line in listed if "GRO-3 Card form" in line]
    assert "accepted link (" in row
    assert ": gone since 2 Mar 2026: in the trash" in row
    assert run(["explain", "Loyalty"]) == 0
    told = capfd.readouterr().out
    assert "GRO-3 Card form: accepted link (" in told
    assert "not counted: gone since 2 Mar 2026: in the trash" in told
    assert run(["explain", "GRO-3"]) == 0
    assert "with Loyalty: kept, and counts when it is back." in capfd.readouterr().out
    _, exported, _ = links(capfd, "export")
    assert ["GRO-3 Card form" in line for line in exported] == [False, True]

    issue.trashed = False
    world.linear.edit("GRO-3", title="Card form")
    world.clock.advance(60)
    synced(world, capfd)
    assert world.loyalty.text("Delivery").startswith("1 of 3 done")
    assert len(world.attachments("GRO-3")) == 2
