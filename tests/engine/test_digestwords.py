"""The digest in words: its lines, how many there are at most, and text that stays text."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from opsync.engine.adopted import Shipped
from opsync.engine.digest import (
    AtRisk,
    Contradicted,
    Delivered,
    Moved,
    ScopeAdded,
    Slipped,
    Week,
)
from opsync.engine.digestwords import (
    LINES,
    NAMED,
    as_markdown,
    as_slack,
    known_since,
    news,
    on_page,
    plain,
    told,
)
from opsync.model import Health

BERLIN = ZoneInfo("Europe/Berlin")
UNTIL = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
"""Monday in Berlin already."""


def about(title: str = "One-tap checkout", url: str = "https://n.example/1") -> dict[str, Any]:
    return {"ref": "notion:page:1", "title": title, "url": url, "owner": "Ana Reyes"}


def moved(**changes: Any) -> Moved:
    fitting: dict[str, Any] = {
        **about(),
        "done_before": 9,
        "total_before": 20,
        "done": 12,
        "total": 20,
        "health_before": Health.on_track,
        "health": Health.on_track,
    }
    return Moved(**(fitting | changes))


def week(**changes: Any) -> Week:
    fitting: dict[str, Any] = {
        "team": "",
        "since": UNTIL - timedelta(days=7),
        "until": UNTIL,
        "known_since": None,
        "initiatives": 12,
        "done": 92,
        "total": 151,
        "written": 31,
        "moved": (),
        "scope": (),
        "slipped": (),
        "shipped": (),
        "at_risk": (),
        "contradicts": (),
        "waiting": {},
        "alarms": 0,
    }
    return Week(**(fitting | changes))


def full() -> Week:
    return week(
        moved=(moved(health=Health.at_risk), moved(title="SSO", done_before=12)),
        scope=(ScopeAdded(**about("Churn survey"), added=6, total=16),),
        slipped=(
            Slipped(
                **about("Refunds"),
                how="moved",
                due_before=date(2026, 11, 30),
                due_on=date(2027, 1, 8),
            ),
            Slipped(
                **about("Offline mode"), how="overdue", due_before=None, due_on=date(2026, 11, 20)
            ),
        ),
        at_risk=(
            AtRisk(
                **about("Offline mode"),
                health=Health.off_track,
                reason="past its due date",
                due_on=date(2026, 11, 20),
                since_this_week=True,
            ),
        ),
        shipped=(
            Delivered(
                **about("Instant payouts"),
                released=Shipped(on=date(2026, 11, 3), how="property", property="Released"),
                in_week=False,
                use="38 users a day since release, 24 before (+58 %)",
            ),
        ),
        contradicts=(
            Contradicted(**about("SSO"), says="In progress", measured="all 18 done for 16 days"),
        ),
        waiting={"to_approve": 1, "suggested": 3},
        alarms=2,
    )


def test_a_full_week_is_told_in_eight_lines() -> None:
    lines = told(full(), BERLIN)
    assert len(lines) == LINES
    assert [f"{one.label}: {plain(one)}" for one in lines] == [
        "The week to 23 Nov 2026: 12 initiatives · 92 of 151 done · 31 writes by opsync",
        "Moved: One-tap checkout 9 of 20 → 12 of 20, now at risk · SSO",
        "Scope: Churn survey grew by 6 to 16",
        "Slipped: Refunds from 30 Nov to 8 Jan 2027 · Offline mode was due 20 Nov",
        "At risk: Offline mode now off track: past its due date",
        "Shipped: Instant payouts on 3 Nov: 38 users a day since release, 24 before (+58 %)",
        "Contradicts: SSO says “In progress”, measured: all 18 done for 16 days",
        "Waits for you: 1 change to approve · 3 links suggested · 2 problems (opsync status)",
    ]


def test_a_week_in_which_nothing_moved_says_so_in_one_line() -> None:
    lines = told(week(), BERLIN)
    assert as_markdown(lines).splitlines()[1:] == ["- **Moved:** nothing"]


def test_what_was_shipped_before_the_week_does_not_make_it_a_week_that_moved() -> None:
    labels = [one.label for one in told(week(shipped=full().shipped), BERLIN)]
    assert labels[1:] == ["Moved", "Shipped"]


def test_a_team_and_several_weeks_are_in_the_heading() -> None:
    heading = told(
        week(team="Payments", since=UNTIL - timedelta(days=14), known_since=UNTIL), BERLIN
    )[0]
    assert heading.label == "Payments: the 2 weeks to 23 Nov 2026"
    assert plain(heading).endswith("known since 23 Nov")


def test_a_line_names_some_and_counts_the_rest() -> None:
    line = told(week(moved=(moved(),) * (NAMED + 3)), BERLIN)[1]
    assert plain(line).endswith(" · 3 more")
    assert plain(line).count("→") == NAMED


def test_names_lead_to_the_dashboard_where_it_is_said_how_it_is_reached() -> None:
    page = "https://opsync.example/initiatives/notion:page:1"
    lines = told(full(), BERLIN, on_page("https://opsync.example"))
    assert {item[0].url for line in lines for item in line.items} == {"", page}
    assert f"[One-tap checkout]({page})" in as_markdown(lines)
    assert f"<{page}|One-tap checkout>" in as_slack(lines)


def test_no_title_or_ref_leads_elsewhere_than_to_its_page() -> None:
    odd = moved(ref="notion:page:1) <https://evil.example|x>?a#b", title="x")
    line = told(week(moved=(odd,)), BERLIN, on_page("https://opsync.example"))[1]
    url = line.items[0][0].url
    assert url.startswith("https://opsync.example/initiatives/notion:page:1%29%20")
    assert not set(url) & set("()<>|?# ")


def test_names_lead_into_their_tools_where_no_address_is_known() -> None:
    assert told(full(), BERLIN, on_page("")) == told(full(), BERLIN)


def test_the_news_are_of_the_week_itself() -> None:
    assert [one.label for one in news(full(), BERLIN)] == ["Moved", "Scope", "Slipped"]
    assert news(week(), BERLIN) == ()


def test_it_is_said_since_when_opsync_looks() -> None:
    assert known_since(week(known_since=UNTIL), BERLIN) == "known since 23 Nov"
    assert known_since(week(), BERLIN) == ""


HOSTILE = "<!channel> <@U012AB3CD> @here & *bold* [x](http://evil.example) | `code` <script>"


def test_a_title_pings_nobody_and_stays_text_in_slack() -> None:
    text = as_slack(told(week(moved=(moved(title=HOSTILE),)), BERLIN))
    body = text.split("\n", 1)[1]
    link = body.removeprefix("• *Moved:* ")
    assert link.startswith("<https://n.example/1|&lt;!channel&gt; &lt;@")
    inside = link[1 : link.index(">")]
    assert "<" not in inside
    assert inside.count("|") == 1
    for word in ("<!", "<@", "@here", "*bold*", "`code`"):
        assert word not in link, word


def test_a_title_is_no_markup_in_markdown() -> None:
    text = as_markdown(told(week(moved=(moved(title=HOSTILE),)), BERLIN))
    assert "<script" not in text.replace("\\<", "")
    assert "\\[x\\](http\\://evil.example)" in text
    assert "](https://n.example/1)" in text


def test_an_address_that_is_none_leads_nowhere() -> None:
    for url in ("javascript:alert(1)", "https://u:p@n.example/1", ""):
        lines = told(week(moved=(moved(url=url),)), BERLIN)
        assert "](" not in as_markdown(lines)
        assert "<" not in as_slack(lines).split("\n")[1]


def test_a_title_of_several_lines_is_on_one() -> None:
    lines = told(week(moved=(moved(title="One\n- two\r\n# three"),)), BERLIN)
    assert len(as_markdown(lines).splitlines()) == 2
    assert len(as_slack(lines).splitlines()) == 2
