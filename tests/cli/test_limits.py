"""A run that would do too much at once says so everywhere, and which flag lets it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Company

FEW = "limits = { removals = 1, removals_share = 0.0 }\n"
ALLOWED = "--allow-removals"


@pytest.fixture
def undone(synced: Company) -> Company:
    """All is written; then no initiative names its work any more, and a run may remove one."""

    def clear(state: dict[str, object]) -> None:
        items = state["items"]
        assert isinstance(items, list)
        for one in items:
            one.pop("names", None)

    synced.configure(more=FEW)
    synced.edit("roadmap", clear)
    return synced


def needed(company: Company) -> int:
    """How many removals the run wants, as JSON has it."""
    found = company.opsync("plan", "--json").json
    [over] = [one["over"] for one in found["instances"] if one["over"]]
    [excess] = over
    assert (excess["what"], excess["limit"]) == ("removals", 1)
    return int(excess["count"])


def approved(company: Company, rule: str) -> list[dict[str, Any]]:
    """The approvals of a rule's values."""
    found: list[dict[str, Any]] = company.opsync("apply", "--approvals", "--json").json
    return [one for one in found if one["rule"] == rule]


def test_a_run_that_is_refused_names_the_flag_and_ends_with_1(undone: Company) -> None:
    before = undone.read("work")
    result = undone.opsync("sync")
    assert result.code == 1
    assert any(
        line.startswith("! work is over a limit: this run would remove ") for line in result.lines
    ), result.out
    count = needed(undone)
    assert f"for one run: opsync sync {ALLOWED} {count}" in " ".join(result.out.split())
    assert undone.read("work") == before


def test_with_the_flag_it_is_done_once(undone: Company) -> None:
    count = needed(undone)
    result = undone.opsync("sync", ALLOWED, str(count))
    assert result.code == 0, result.out
    assert 'remove link "SSO for teams"' in result.out
    assert undone.opsync("plan").lines[-1] == "0 changes: all is as it should be"


def test_a_plan_says_how_to_have_it_written_and_apply_takes_the_same_flag(
    undone: Company,
) -> None:
    count = needed(undone)
    plan = undone.opsync("plan")
    assert plan.code == 1
    number = plan.lines[0].split("#")[1].split()[0]
    command = f"opsync apply {number} {ALLOWED} {count}"
    assert command in plan.out

    refused = undone.opsync("apply", number, "--json")
    assert refused.code == 1
    told = undone.opsync("apply", number)
    alike = [one for one in told.lines if "what work would get is over a limit" in one]
    assert len(alike) == 1, "one reason is told once"
    left = refused.json["plan"]["unwritten"]
    assert {one["fate"] for one in left} >= {"over limit"}
    assert any(
        f"opsync apply {number} {ALLOWED} {count}" in one["hint"]
        for one in refused.json["instances"]
    )

    done = undone.opsync(*command.split()[1:])
    assert done.code == 0, done.out
    assert 'remove link "SSO for teams"' in done.out


def test_a_dry_run_takes_the_flag_too(undone: Company) -> None:
    count = needed(undone)
    assert undone.opsync("sync", "--dry-run").code == 1
    assert undone.opsync("sync", "--dry-run", ALLOWED, str(count)).code == 0


def test_the_status_shows_it_until_it_is_settled(undone: Company) -> None:
    undone.opsync("sync")
    shown = undone.opsync("status")
    assert "not written: work" in shown.out
    assert "! work: this run would remove" in shown.out
    found = undone.opsync("status", "--json").json
    assert found["healthy"] is False
    states = {one["instance"]: one["state"] for one in found["connections"]}
    assert states == {"roadmap": "ok", "work": "over limit"}

    undone.opsync("look")
    assert "not written: work" in undone.opsync("status").out, "a look settles nothing"
    undone.opsync("sync", ALLOWED, str(needed(undone)))
    assert undone.opsync("status", "--json").json["healthy"] is True


def test_as_json_the_run_was_read_and_is_not_written(undone: Company) -> None:
    found = undone.opsync("sync", "--json").json
    [work] = [one for one in found["instances"] if one["instance"] == "work"]
    assert (work["trouble"], work["complete"]) == ("over limit", True)
    assert found["pass"]["exit_code"] == 1
    assert all(one["outcome"] is None for one in found["changes"] if one["instance"] == "work")


@pytest.mark.parametrize("flag", ["--allow-removals", "--allow-creates", "--allow-rewrites"])
def test_a_number_below_zero_is_refused(company: Company, flag: str) -> None:
    for command in ("sync", "apply"):
        result = company.opsync(command, flag, "-1")
        assert (result.code, flag in result.err) == (2, True)


@pytest.mark.parametrize("measure", ["removals", "creates", "rewrites", "vanished"])
def test_a_number_above_all_is_as_good_as_none(company: Company, measure: str) -> None:
    result = company.opsync("sync", f"--allow-{measure}", "9" * 26)
    assert (result.code, result.err) == (0, "")


def test_a_large_first_run_is_let_by_its_own_flag(company: Company) -> None:
    company.configure(more="limits = { creates = 1 }\n")
    refused = company.opsync("sync")
    assert refused.code == 1
    assert "new values, where 1 may be new; nothing is written there" in " ".join(
        refused.out.split()
    )
    assert company.opsync("sync", "--allow-creates", "100").code == 0


def test_what_waits_for_approval_is_offered_with_the_flag_that_it_will_want(
    company: Company,
) -> None:
    company.configure(mode="propose", more="limits = { creates = 1 }\n")
    first = company.opsync("sync")
    assert first.code == 0, "nothing was to be written"
    [offered] = [line for line in first.lines if " changes wait: " in line]
    command = offered.partition(" changes wait: ")[2]
    assert command.startswith("opsync apply 1 --allow-creates ")
    assert command.replace("apply 1", "apply 2") in company.opsync("plan").out

    assert company.opsync("apply", "1").code == 1
    assert "1 of 2 done" not in str(company.read("roadmap"))
    assert company.opsync(*command.split()[1:]).code == 0
    assert "1 of 2 done" in str(company.read("roadmap"))


def test_of_what_is_over_a_limit_nothing_is_approved(company: Company) -> None:
    """I20"""
    company.configure(mode="propose", more="limits = { creates = 2 }\n")
    company.opsync("sync")

    result = company.opsync("apply", "1")

    assert result.code == 1
    assert "what roadmap would get is over a limit; that waits for approval still" in result.out
    assert "Written     Toy 2" in result.lines, "the other connection is within its limit"
    assert approved(company, "roadmap") == []
    company.configure(mode="propose")
    later = company.opsync("sync")
    assert "3 changes wait: opsync apply 3" in later.lines
    assert "1 of 2 done" not in str(company.read("roadmap"))


def test_what_was_approved_before_stays_so_though_it_is_over_a_limit_now(company: Company) -> None:
    company.configure(mode="propose")
    company.opsync("sync")
    company.opsync("pause", "roadmap")
    company.opsync("apply", "1", "--item", "one-tap")
    [before] = approved(company, "roadmap")
    company.opsync("pause", "--off")
    company.configure(mode="propose", more="limits = { creates = 2 }\n")

    result = company.opsync("apply", "1")

    assert "roadmap is over a limit" in result.out
    assert approved(company, "roadmap") == [before]
