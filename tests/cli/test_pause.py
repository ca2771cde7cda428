"""`opsync pause`: nothing is written, anywhere or in one connection, until it is ended."""

from __future__ import annotations

from tests.cli.conftest import Company


def written(company: Company) -> tuple[bool, bool]:
    return tuple(  # type: ignore[return-value]
        "written" in company.read(name) for name in ("roadmap", "work")
    )


def observed(company: Company) -> Company:
    """After a run that wrote nothing."""
    assert company.opsync("sync", "--mode", "observe").code == 0
    return company


def test_everything_is_paused_until_it_is_ended(company: Company) -> None:
    result = observed(company).opsync("pause")
    assert result.code == 0
    assert result.lines[0].startswith("Paused       all writes, by ")
    said = company.opsync("sync")
    assert said.code == 0
    assert "Paused      all writes: opsync pause --off" in said.lines
    assert "Written     nothing: 5 changes wait until writes are permitted again" in said.lines
    assert said.lines[-5:] == [
        "",
        "Would write 5 changes: Toy 5. Nothing of that was written:",
        "writes are paused.",
        "  see each    opsync plan",
        "  go on       opsync pause --off; opsync sync",
    ]
    assert written(company) == (False, False)
    again = company.opsync("sync", "--json").json
    assert again["pass"]["withheld"] == 5, "it is told in each run"
    assert "5 changes" in company.opsync("plan").out
    ended = company.opsync("pause", "--off")
    assert ended.lines == ["nothing is paused any more: writes go on"]
    assert company.opsync("pause", "--off").lines == ["nothing is paused"]
    done = company.opsync("sync")
    assert "Written     Toy 5" in done.lines
    assert "Would write" not in done.out


def test_one_connection_is_paused_and_the_others_go_on(company: Company) -> None:
    observed(company).opsync("pause", "work")
    said = company.opsync("sync")
    assert "Paused      writes to work: opsync pause work --off" in said.lines
    assert written(company) == (True, False)
    assert said.lines[-5:] == [
        "",
        "Would write 2 changes: Toy 2. Nothing of that was written:",
        "writes to work are paused.",
        "  see each    opsync plan",
        "  go on       opsync pause work --off; opsync sync",
    ]
    found = company.opsync("sync", "--json").json
    assert found["pass"]["withheld"] == 2
    assert {one["instance"]: one["withheld"] for one in found["instances"]} == {
        "roadmap": 0,
        "work": 2,
    }
    assert company.opsync("pause", "work", "--off").code == 0
    company.opsync("sync")
    assert written(company) == (True, True)


def test_status_doctor_and_plan_say_so(company: Company) -> None:
    observed(company).opsync("pause", "work")
    doctor = company.opsync("doctor")
    assert doctor.code == 0
    assert "Pause: Nothing is written to work: paused by " in doctor.out
    assert "      opsync pause work --off" in doctor.lines
    status = company.opsync("status")
    assert "Paused       writes to work, by " in status.out
    assert "opsync pause work --off" in status.out
    [paused] = company.opsync("status", "--json").json["paused"]
    assert paused["instance"] == "work"
    assert "Paused      writes to work: opsync pause work --off" in company.opsync("plan").lines
    offline = company.opsync("plan", "--offline", "--json").json
    assert {one["instance"]: one["paused"] for one in offline["instances"]} == {
        "roadmap": False,
        "work": True,
    }


def test_apply_refuses_while_all_is_paused_and_leaves_what_is_of_a_paused_one(
    company: Company,
) -> None:
    company.configure(mode="propose")
    company.opsync("plan")
    company.opsync("pause")
    result = company.opsync("apply", "1")
    assert (result.code, "all writes are paused" in result.err) == (2, True)
    company.opsync("pause", "--off")
    company.opsync("pause", "work")
    result = company.opsync("apply", "1", "--json")
    assert result.code == 1
    assert {(one["fate"], one["why"]) for one in result.json["plan"]["unwritten"]} == {
        (
            "paused",
            "work is paused: what it is to get stays approved and is written once writes go on",
        )
    }
    assert written(company) == (True, False)


def test_undo_and_release_write_nothing_either(synced: Company) -> None:
    synced.opsync("pause")
    assert "all writes are paused" in synced.opsync("undo").err
    assert synced.opsync("release", "--all", "--remove").code == 2
    synced.opsync("pause", "--off")
    synced.opsync("pause", "work")
    result = synced.opsync("undo", "--json")
    assert result.code == 1
    assert {one["fate"] for one in result.json["left"]} == {"paused"}
    assert any(synced.read("work")["written"].values())


def test_bad_input_names_what_is_wrong(company: Company) -> None:
    observed(company).opsync("pause")
    result = company.opsync("pause", "jira")
    assert (result.code, 'no connection "jira"' in result.err) == (2, True)
    result = company.opsync("pause", "work", "--off")
    assert (result.code, "work is paused with all others" in result.err) == (2, True)
