"""What a run says of its check for deletions."""

from __future__ import annotations

import pytest

from opsync.cli.passjson import instance_json
from opsync.cli.passview import print_pass
from opsync.report import InstanceReport, PassReport


def shown(capsys: pytest.CaptureFixture[str], **found: object) -> str:
    one = InstanceReport("jira-main", "Jira", read=3, changed=1, **found)  # type: ignore[arg-type]  # as named
    print_pass(PassReport(run=1, command="opsync sync", instances=[one]))
    return " ".join(capsys.readouterr().out.split())


def test_what_is_gone_is_told_with_why_and_what_it_cost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = {"deleted": 2, "trashed": 1, "not visible": 1}
    text = shown(capsys, missing=4, gone=gone, counted=1, looked_up=4, census_requests=3)
    assert (
        "3 read, 1 changed, 4 gone (2 deleted, 1 no longer visible to the token, 1 in the trash), "
        "checked for deletions (3 requests)" in text
    )


def test_what_the_next_run_looks_up_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, looked_up=250, waiting=40, census_requests=4)
    assert "250 looked up (4 requests), 40 to look up in the next run" in text


def test_a_run_without_a_check_says_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys)
    assert "3 read, 1 changed" in text
    assert "check" not in text


def test_programs_read_the_same() -> None:
    one = InstanceReport("jira-main", "Jira", missing=1, gone={"deleted": 1}, counted=1)
    one.looked_up, one.waiting, one.census_requests = 1, 2, 3
    found = instance_json(one)
    assert found["gone"] == {"deleted": 1}
    assert found["census"] == {"listed": 1, "looked_up": 1, "waiting": 2, "requests": 3}
