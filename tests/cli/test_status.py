"""`opsync status`: everything at a glance, from the store alone."""

from __future__ import annotations

from tests.cli.conftest import Company


def test_status_shows_initiatives_connections_and_what_waits(synced: Company) -> None:
    result = synced.opsync("status")
    assert result.code == 0
    assert ", done" in result.lines[0]
    assert "3 initiatives  1 off track  1 done  1 no linked work      ● healthy" in result.lines
    checkout = next(line for line in result.lines if line.startswith("One-tap checkout"))
    assert "1/2" in checkout
    assert "✗ off track" in checkout
    assert "1 canceled" in checkout
    assert result.lines[-2].startswith("Connections  roadmap ● ")
    assert result.lines[-1] == "Waiting      nothing"


def test_an_exclamation_mark_tells_where_people_say_otherwise(synced: Company) -> None:
    found = {one["title"]: one for one in synced.opsync("status", "--json").json["initiatives"]}
    assert found["One-tap checkout"]["disagrees"] is True  # people: On track
    assert found["SSO for teams"]["disagrees"] is True  # people: In progress, all is done
    assert found["Referral programme"]["disagrees"] is False
    assert "! 2 disagree with what people say: opsync look" in synced.opsync("status").lines


def test_what_is_late_comes_first(synced: Company) -> None:
    found = synced.opsync("status", "--json").json["initiatives"]
    assert [one["title"] for one in found] == [
        "One-tap checkout",
        "SSO for teams",
        "Referral programme",
    ]


def test_a_connection_that_could_not_be_read_is_named_with_the_reason(synced: Company) -> None:
    synced.fail("work", "down")
    synced.opsync("sync")
    result = synced.opsync("status")
    assert result.code == 0
    assert "▲ incomplete: work" in result.out
    (why,) = [line for line in result.lines if line.startswith("! work, for ")]
    assert why.endswith(": Toy answered 503.")


def test_observed_changes_wait(company: Company) -> None:
    company.configure(mode="observe")
    company.opsync("sync")
    assert "5 changes to write" in company.opsync("status").lines[-1]


def test_before_the_first_sync_it_says_what_to_run(company: Company) -> None:
    result = company.opsync("status")
    assert result.code == 0
    assert result.lines[0] == "no sync yet: opsync sync"
    found = company.opsync("status", "--json").json
    assert found["run"] is None
    assert found["healthy"] is False
    assert [one["state"] for one in found["connections"]] == ["never read", "never read"]
    assert not (company.folder / "opsync.db").exists()


def test_titles_cannot_steer_the_terminal(company: Company) -> None:
    evil = "Evil\x1b]0;pwned\x07\x1b[2J\u202e title\nnext"

    def renamed(state: dict[str, list[dict[str, str]]]) -> None:
        state["items"][0]["title"] = evil
        state["items"][0]["status"] = "On\x1b[31m track"

    company.edit("roadmap", renamed)
    company.opsync("sync")
    for command in (
        ["status"],
        ["plan", "--offline", "--all"],
        ["explain", "Evil"],
        ["records"],
        ["links"],
        ["rollups"],
        ["journal"],
    ):
        result = company.opsync(*command)
        assert result.code == 0, result.err
        assert not set(result.out) & set("\x1b\x07\u202e"), command
