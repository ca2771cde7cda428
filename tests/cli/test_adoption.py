"""How much initiatives are used, on every screen."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from opsync.cli import screen, statusview
from opsync.cli.root import run
from opsync.runtime import SystemClock
from tests.cli.conftest import Company
from tests.cli.gauge import HOST
from tests.cli.measuring import (
    LATELY,
    RELEASED,
    RELEASES,
    TODAY,
    day,
    initiative,
    level,
    measured,
    plant,
    settings,
)


@pytest.fixture(scope="module", autouse=True)
def _it_stays_the_day_of_the_company() -> Iterator[None]:
    """Go on from noon of the day that all is told from, though midnight may pass meanwhile."""
    ahead = datetime.combine(TODAY, time(12), UTC) - datetime.now(UTC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now", lambda _: datetime.now(UTC) + ahead)
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a company whose releases are measured, after a sync."""
    folder = tmp_path_factory.mktemp("measured")
    plant(folder, RELEASES)
    # Some of it is not measured, which a run may tell as done in part.
    assert run(["sync", "--config", str(folder / "opsync.toml")]) in (0, 1)
    return folder


@pytest.fixture
def using(template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Company:
    """A copy of it."""
    folder = Path(shutil.copytree(template, tmp_path / "company"))
    settings(folder)
    return Company(folder, capsys)


def row(company: Company, title: str, *args: str) -> str:
    """The line of `status` about an initiative."""
    out = company.opsync("status", "--all", *args).lines
    return next(line for line in out if line.startswith(title))


def facts(company: Company, *args: str) -> dict[str, str]:
    """What `explain` tells, by what it calls it. What stands before the first name is ""."""
    found: dict[str, str] = {}
    for line in company.opsync("explain", *args).lines:
        head, _, rest = line.strip().partition("  ")
        if line.startswith("  ") and rest:
            found.setdefault(head.strip(), rest.strip())
        elif line.startswith("   "):
            found.setdefault("", line.strip())
    return found


def initiatives(company: Company) -> dict[str, Any]:
    found = company.opsync("status", "--json").json["initiatives"]
    return {one["title"]: one for one in found}


def summary(company: Company, title: str) -> Any:
    return company.opsync("explain", title, "--json").json["summaries"][0]


# status ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Instant payouts", "+58 % 38/day"),
        ("Early bird", "3 of 7 days"),
        ("Misspelt one", "! no such flag"),
        ("Refused one", "! refused"),
        ("Running one", "38/day"),
        ("Undated one", "38/day"),
        ("SSO for teams", "–"),
    ],
)
def test_status_has_a_column_with_what_changed_or_why_not(
    using: Company, title: str, told: str
) -> None:
    assert told in row(using, title)
    header = next(line for line in using.opsync("status").lines if "blocked" in line)
    assert "adoption" in header


def test_status_has_no_such_column_where_nothing_is_measured(synced: Company) -> None:
    assert "adoption" not in synced.opsync("status").out


def on_a_terminal(using: Company, monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
    """The screen of `status` where people look at it."""
    shown = StringIO()
    terminal = Console(width=width, file=shown, color_system=None)
    monkeypatch.setattr(screen, "console", lambda: terminal)
    monkeypatch.setattr(statusview, "console", lambda: terminal)
    monkeypatch.setattr(screen, "interactive", lambda: True)
    assert using.opsync("status", "--all").code == 0
    return shown.getvalue().splitlines()


@pytest.mark.parametrize(
    ("width", "bars", "column"),
    [(130, True, True), (100, False, True), (80, False, True), (66, False, False)],
)
def test_the_column_is_left_out_after_the_bars_where_there_is_no_room(
    using: Company, monkeypatch: pytest.MonkeyPatch, width: int, bars: bool, column: bool
) -> None:
    lines = on_a_terminal(using, monkeypatch, width)
    out = "\n".join(lines)
    assert ("██" in out) is bars
    assert ("+58 % 38/day" in out) is column
    left_out = [line for line in lines if line.startswith("no room here for: ")]
    assert ("adoption" in "".join(left_out)) is not column
    assert max(map(len, lines)) <= width


def test_on_a_very_narrow_terminal_columns_go_and_no_number_is_cut(
    using: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = on_a_terminal(using, monkeypatch, 56)
    (left_out,) = [line for line in lines if line.startswith("no room here for: ")]
    assert "blocked" in left_out
    assert "…/" not in "".join(lines)
    (row_,) = [line for line in lines if line.startswith("One-tap")]
    assert re.search(r" \d+/\d+ ", row_)


def test_old_numbers_are_told_with_their_day(using: Company) -> None:
    with sqlite3.connect(using.folder / "opsync.db") as connection:
        connection.execute(
            "UPDATE rollups SET body = json_set(CAST(body AS TEXT), '$.adoption[0].stale', "
            "json('true')) WHERE root = 'roadmap:item:instant'"
        )
    assert "+58 % 38/day (" in row(using, "Instant payouts")
    assert initiatives(using)["Instant payouts"]["adoption"][0]["stale"] is True


def test_status_as_json_has_the_numbers(using: Company) -> None:
    found = initiatives(using)["Instant payouts"]
    assert found["released"] == {"on": str(RELEASED), "how": "property", "property": "Released"}
    (one,) = found["adoption"]
    assert one["metric"] == {
        "instance": "usage",
        "tool": "Gauge",
        "kind": "flag",
        "noun": "flag",
        "name": "instant-payouts",
        "counts": "users",
    }
    assert one["window"] == {"first": day(13), "last": day(0)}
    assert one["per_day"] == pytest.approx(38)
    effect = one["effect"]
    assert (effect["weeks"], effect["before"], effect["after"]) == (2, 24, 38)
    assert effect["ratio"] == pytest.approx(38 / 24)
    assert effect["low"] < effect["ratio"] < effect["high"]
    assert effect["early"] is None


def test_too_early_says_until_when(using: Company) -> None:
    (one,) = initiatives(using)["Early bird"]["adoption"]
    until = str(LATELY + timedelta(days=8))
    assert one["effect"]["early"] == {"what": "days", "have": 3, "need": 7, "until": until}


def test_initiatives_that_are_not_done_have_no_release(using: Company) -> None:
    assert initiatives(using)["Running one"]["released"] is None
    assert initiatives(using)["One-tap checkout"]["adoption"] == []


def test_a_connection_whose_limit_is_spent_says_that_nothing_new_is_measured(
    using: Company,
) -> None:
    def renamed(state: dict[str, Any]) -> None:
        next(one for one in state["items"] if one["id"] == "early")["columns"]["Flag"] = "other"

    using.edit("roadmap", renamed)
    using.fail("usage", "limit")
    using.opsync("sync")
    out = using.opsync("status").out
    assert "! usage, for " in out
    assert "nothing new is measured: Gauge answered 429." in out
    usage = using.opsync("status", "--json").json["connections"][0]
    assert (usage["instance"], usage["state"]) == ("usage", "incomplete")
    assert usage["measured_at"] is not None


# explain --------------------------------------------------------------------------------------


def test_explain_tells_the_whole_chain(using: Company) -> None:
    found = facts(using, "Instant payouts")
    assert found["measures"] == (
        'flag "instant-payouts": unique users a day, in Gauge (usage, project Harbor app)'
    )
    assert found["from"] == 'its "Flag"'
    assert found["released"].endswith('its "Released"')
    assert found["compared"].startswith("2 whole weeks before (")
    assert found["compared"].endswith("24 → 38 a day")
    assert found["ratio"].startswith("× 1.58 (95 % interval 1.")
    assert "38 users a day" in found["window"]
    assert "unique users in all" in found["window"]
    assert "days before (" in found["window"]
    assert "ago, " in found["read"]
    assert "which is not to say caused" in using.opsync("explain", "Instant payouts").out


def test_explain_draws_the_days_with_the_release_marked(using: Company) -> None:
    lines = using.opsync("explain", "Instant payouts", "Adoption").lines
    at = next(n for n, line in enumerate(lines) if line.strip().startswith("days "))
    bars, below = lines[at], lines[at + 1]
    assert bars.index("│") == below.index("│")
    before, after = bars.split("│")
    assert max(before.split()[-1]) < max(after)
    assert "the highest is 41" in below


def test_a_metric_by_a_link_names_what_it_leads_to(using: Company) -> None:
    assert facts(using, "Linked one")["from"] == 'its "Flag", which links to Payouts at once'
    (one,) = summary(using, "Linked one")["adoption"]
    assert (one["source"], one["linked"]["label"]) == ("link", "Payouts at once")
    assert one["metric"]["name"] == "instant-payouts"


def test_a_metric_that_the_rule_fixes_says_so(using: Company) -> None:
    fixed = (using.folder / "opsync.toml").read_text()
    fixed = fixed.replace('flag_from = "Flag"', 'flag = "instant-payouts"')
    (using.folder / "opsync.toml").write_text(fixed)
    using.opsync("sync")
    told = facts(using, "SSO for teams")["from"]
    assert told == "the rule, which names it for every initiative"
    assert summary(using, "SSO for teams")["adoption"][0]["source"] == "fixed"


def test_a_name_that_the_tool_does_not_have_comes_with_the_nearest(using: Company) -> None:
    found = facts(using, "Misspelt one", "Adoption")
    assert found["because"] == 'Not measured: Gauge has no flag "pay-outs".'
    assert found["nearest"] == "instant-payouts, payouts-old"
    assert found["next"].startswith('correct its "Flag"')
    assert "asked again after" in found["asked"]


def test_a_refused_query_tells_the_tools_text_and_what_to_do(using: Company) -> None:
    found = facts(using, "Refused one", "Adoption")
    assert found["because"].endswith("refused the query: Property not found: plan")
    assert found["next"].startswith("see whether Gauge shows it itself")
    (one,) = summary(using, "Refused one")["adoption"]
    assert (one["trouble"], one["message"], one["days"]) == (
        "refused",
        "Property not found: plan",
        [],
    )


def test_too_early_tells_from_when_on_it_is_compared(using: Company) -> None:
    found = facts(using, "Early bird", "Adoption")
    assert found["because"] == "Too early to compare: 3 of 7 days are over."
    until = LATELY + timedelta(days=8)
    assert found["compared"].startswith(f"from {until.day} {until:%b %Y} on")


def test_an_unknown_day_of_release_says_what_to_do(using: Company) -> None:
    found = facts(using, "Undated one")
    assert found["released"] == (
        'unknown: it was done before it was first read; fill in its "Released"'
    )
    out = using.opsync("explain", "Undated one").out
    assert "! not told in: Gauge: the day of its release is not known" in out


def test_what_the_rule_measures_and_an_initiative_does_not_name_is_told(using: Company) -> None:
    out = using.opsync("explain", "SSO for teams", "Adoption").out
    assert 'nothing is measured: its "Flag" is empty' in out


def test_of_several_metrics_the_empty_one_is_no_warning(using: Company) -> None:
    path = using.folder / "opsync.toml"
    more = '[[rollup.metric]]\ninstance = "usage"\nevent_from = "Event"\n\n[[rollup.metric]]'
    path.write_text(path.read_text().replace("[[rollup.metric]]", more, 1))
    using.opsync("sync")
    lines = using.opsync("explain", "Instant payouts").lines
    assert '  besides   not measured: event of Gauge: its "Event" is empty' in lines
    assert not [line for line in lines if line.startswith("  ! not measured")]


def test_an_address_that_leads_nowhere_is_told(company: Company) -> None:
    measured(company, initiative("Lost one", Flag=f"{HOST}/flag/404", Released=day(20)))
    out = company.opsync("explain", "Lost one").out
    assert 'the address in its "Flag" is none that was read from Gauge' in out
    state, message, hint = next(one for one in adoption_checks(company) if "address" in one[1])
    assert state == "warn"
    assert message.startswith('The address in "Flag" of Lost one is none that was read from Gauge')
    assert hint == "Paste a link of the connected project, or the name itself."


def test_explain_as_json_has_every_day(using: Company) -> None:
    (one,) = summary(using, "Instant payouts")["adoption"]
    assert one["known"]["last"] == day(0)
    first = date.fromisoformat(one["known"]["first"])
    assert [each["day"] for each in one["days"]] == [
        str(first + timedelta(days=n)) for n in range((RELEASED - first).days + 19)
    ]
    assert one["days"][-1] == {"day": day(0), "value": level(24, 38)[day(0)]}
    assert {"day": str(RELEASED), "value": 0.0} in one["days"]
    assert (one["property"], one["source"], one["weeks"]) == ("Flag", "property", 2)
    assert one["project"]["label"] == "Harbor app"
    assert one["time_zone"] == "UTC"


def test_a_spent_limit_says_until_when_and_keeps_the_numbers(using: Company) -> None:
    with sqlite3.connect(using.folder / "opsync.db") as connection:
        connection.execute(
            "UPDATE metrics SET through = date(through, '-3 days'), body = CAST(body AS BLOB)"
        )
    using.fail("usage", "limit")
    using.opsync("sync")
    found = facts(using, "Instant payouts")
    assert "nothing newer could be read" in found["read"]
    assert "asked again after" in found["read"]
    assert found["kept"].endswith("Gauge answered 429.")
    assert "+58 % 38/day (" in row(using, "Instant payouts")


# annotations ----------------------------------------------------------------------------------


def test_an_annotation_is_explained_under_its_initiative_with_its_writes(using: Company) -> None:
    lines = using.opsync("explain", "Instant payouts", "Annotation").lines
    assert lines[0] == "Annotation of Instant payouts   Gauge"
    found = facts(using, "Instant payouts", "Annotation")
    assert (
        '"Shipped: Instant payouts https://toy.example/roadmap/instant [opsync:'
        in found["we wrote"]
    )
    assert found["rule"] == "roadmap (writes): tells releases in usage"
    assert found["released"].endswith('its "Released"')
    assert found["stands in"] == "project Harbor app"
    assert lines[-1].strip().startswith("run 1, ")
    (value,) = using.opsync("explain", "Instant payouts", "Annotation", "--json").json["values"]
    assert value["about"]["label"] == "Instant payouts"
    assert value["target"]["kind"] == "product"
    assert [one["outcome"] for one in value["writes"]] == ["created"]


def test_where_no_release_is_told_yet_it_says_what_has_to_happen(using: Company) -> None:
    result = using.opsync("explain", "One-tap checkout", "Annotation")
    assert result.code == 2
    assert "Its release is told in usage once its own status is done: it is " in result.err


def test_the_project_lists_what_stands_there(using: Company) -> None:
    lines = using.opsync("explain", "Harbor app").lines
    assert lines[0] == "Harbor app   Gauge · analytics project"
    assert "! Harbor app is not counted: an analytics project never is." in lines
    standing = [line.split("  ")[2].strip() for line in lines if "[opsync:" in line]
    assert standing == [
        "Early bird",
        "Instant payouts",
        "Linked one",
        "Misspelt one",
        "Refused one",
    ]


def test_a_flag_says_whose_adoption_it_tells(using: Company) -> None:
    lines = using.opsync("explain", "Payouts at once").lines
    assert lines[0] == "Payouts at once   Gauge · flag"
    assert '! Payouts at once is what the "Flag" of Linked one measures.' in lines
    assert "! Payouts at once is not counted: a flag never is." in lines


def test_what_is_measured_is_not_told_among_what_does_not_count(using: Company) -> None:
    assert summary(using, "Linked one")["left_out"] == []
    assert "Not counted" not in using.opsync("explain", "Linked one").out


def test_a_plan_tells_an_annotation_under_its_initiative(using: Company) -> None:
    using.edit("usage", lambda state: state.update(written={}))
    settings(using.folder, mode="observe")
    using.edit(
        "roadmap",
        lambda state: state["items"].append(
            initiative("Brand new", Flag="instant-payouts", Released=day(2))
        ),
    )
    result = using.opsync("plan")
    at = next(n for n, line in enumerate(result.lines) if line.startswith("Brand new   3 changes"))
    group = "\n".join(result.lines[at : at + 4])
    assert "+  Gauge  Annotation  " in group
    assert '"Shipped: Brand new ' in group
    assert "notifies nobody" in result.out


def test_a_reopened_initiative_takes_its_own_annotation_away(using: Company) -> None:
    using.edit("roadmap", lambda state: state["items"][3].update(category="in_progress"))
    result = using.opsync("plan")
    assert "Instant payouts   2 changes" in result.out
    assert "-  Gauge  Annotation  remove " in result.out
    assert "removes 1" in result.out
    found = using.opsync("plan", "--json").json
    (change,) = [one for one in found["changes"] if one["verb"] == "remove"]
    assert (change["group"], change["place"], change["tool"]) == (
        "Instant payouts",
        "Annotation",
        "Gauge",
    )
    out = using.opsync("sync").out
    assert "Instant payouts  Annotation  remove " in out


def test_the_journal_of_an_initiative_has_its_annotation(using: Company) -> None:
    found = using.opsync("journal", "Instant payouts", "--json").json
    assert {one["place"] for one in found} == {"Delivery", "Adoption", "Annotation"}
    lines = using.opsync("journal", "Instant payouts").lines
    assert any("Gauge\tInstant payouts\tAnnotation" in line for line in lines)


def test_a_change_of_use_alone_says_who_counts(using: Company) -> None:
    (value,) = using.opsync("explain", "Instant payouts", "Adoption", "--json").json["values"]
    assert (value["reason"], value["evidence"]) == ("as Gauge counts its use", ["rule roadmap"])


# doctor, look, records ------------------------------------------------------------------------


def adoption_checks(company: Company) -> Iterator[tuple[str, str, str]]:
    for one in company.opsync("doctor", "--json").json:
        if one["connection"] == "adoption":
            yield one["state"], one["message"], one["hint"]


def test_doctor_tells_what_is_not_measured_and_why(using: Company) -> None:
    found = list(adoption_checks(using))
    assert [state for state, _, _ in found] == ["warn"] * 3
    unknown, refused, undated = found
    assert unknown[1] == 'Gauge has no flag "pay-outs", which Misspelt one asks for.'
    assert unknown[2].startswith('Nearest: "instant-payouts", "payouts-old".')
    assert refused[1].endswith("for Refused one: Property not found: plan")
    assert "1 initiative, done before first read: Undated one" in undated[1]
    assert undated[2] == 'Fill in "Released" there.'


def test_doctor_says_how_many_are_measured_where_all_is_well(company: Company) -> None:
    measured(company, initiative("Good one", Flag="instant-payouts", Released=str(RELEASED)))
    assert list(adoption_checks(company)) == [("ok", "Measures 1 of 4 initiatives in Gauge.", "")]


def test_doctor_names_the_likest_column_where_nobody_fills_in_the_rules(company: Company) -> None:
    measured(company, initiative("Good one", Flags="instant-payouts", Released=str(RELEASED)))
    assert list(adoption_checks(company)) == [
        (
            "warn",
            'No initiative has anything in "Flag", from which a metric is taken.',
            'Did you mean "Flags"?',
        )
    ]


def test_doctor_names_the_likest_column_for_the_day_of_release(company: Company) -> None:
    measured(company, initiative("Good one", Flag="instant-payouts", Release=str(RELEASED)))
    _, hint = next((m, h) for _, m, h in adoption_checks(company) if "day of release" in m)
    assert hint.startswith('Nobody fills in "Released". Did you mean "Release"')


def test_doctor_names_a_project_that_was_not_read(using: Company) -> None:
    with sqlite3.connect(using.folder / "opsync.db") as connection:
        connection.execute("DELETE FROM records WHERE kind = 'product'")
    messages = [message for _, message, _ in adoption_checks(using)]
    assert "The project of usage was not read yet, so no release is told there." in messages


def test_flags_and_projects_are_no_work(using: Company) -> None:
    found = using.opsync("look", "--offline", "--json").json["look"]
    assert found["work"]["total"] == 6
    names = {one["item"]["label"] for one in found["disagreements"] if one["item"]}
    assert names.isdisjoint({"Payouts at once", "Harbor app"})
    assert found["unseen"] == []
    assert "Payouts" not in json.dumps(using.opsync("people", "--json").json)


def test_look_counts_releases_that_would_be_told(using: Company) -> None:
    using.edit("usage", lambda state: state.update(written={}))
    settings(using.folder, mode="observe")
    (using.folder / "opsync.db").unlink()
    assert "Annotation on 5 releases" in using.opsync("look").out


def test_records_are_called_as_people_call_them(using: Company) -> None:
    lines = using.opsync("records", "--connection", "usage").lines
    assert [line.split("\t")[1] for line in lines] == ["flag", "analytics project"]
    assert len(using.opsync("records", "--kind", "metric").lines) == 1
    assert len(using.opsync("records", "--kind", "product").lines) == 1


def test_an_empty_initiative_is_not_told_to_link_an_analytics_tool(using: Company) -> None:
    assert 'Paste a Toy link into "Tracked in".' in using.opsync("journal").out


# Private initiatives --------------------------------------------------------------------------

SECRET = "hush-hush"


@pytest.fixture
def hidden(company: Company) -> Company:
    """A private initiative with a flag that the tool does not have."""
    secret = initiative("Zircon plan", Flag=SECRET, Released=str(RELEASED)) | {"private": True}
    plain = initiative("Open plan", Flag="instant-payouts", Released=str(RELEASED))
    plant(company.folder, [secret, plain])
    trouble = {"trouble": "refused", "message": f"no {SECRET}", "nearest": [f"{SECRET}-2"]}
    company.edit("usage", lambda state: state["trouble"].update({f"flag:{SECRET}": trouble}))
    assert company.opsync("sync").code in (0, 1)
    return company


def test_what_a_private_initiative_measures_is_named_on_no_screen(hidden: Company) -> None:
    told = ""
    for args in (
        ("status", "--all"),
        ("status", "--json"),
        ("explain", "roadmap:item:zircon"),
        ("explain", "roadmap:item:zircon", "--json"),
        ("explain", "roadmap:item:zircon", "Adoption"),
        ("explain", "Harbor app", "--json"),
        ("rollups", "--json"),
        ("journal", "--json"),
        ("doctor",),
        ("look", "--offline", "--json"),
        ("plan", "--json"),
    ):
        result = hidden.opsync(*args)
        told += result.out + result.err
    assert SECRET not in told
    assert "Zircon" not in told
    assert "instant-payouts" in told


def test_the_release_of_a_private_initiative_is_told_nowhere(hidden: Company) -> None:
    (only,) = hidden.read("usage")["written"].values()
    assert only["text"].startswith("Shipped: Open plan ")
    (untold,) = summary(hidden, "roadmap:item:zircon")["not_announced"]
    assert untold["what"] == "Gauge"
    assert untold["why"] == "it is private, and has no address that may be shown"


def test_a_private_initiatives_adoption_can_be_exposed(hidden: Company) -> None:
    path = hidden.folder / "opsync.toml"
    config = path.read_text()
    path.write_text(config.replace('"board"', '"board"\nexpose = "title"'))
    hidden.opsync("sync")
    assert SECRET in hidden.opsync("explain", "Zircon plan", "Adoption").out
    texts = [one["text"] for one in hidden.read("usage")["written"].values()]
    assert any(text.startswith("Shipped: Zircon plan ") for text in texts)
