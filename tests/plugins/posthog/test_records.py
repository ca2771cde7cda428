"""What people link to is a record of its own, found by the addresses of this project only."""

from __future__ import annotations

from datetime import date

import pytest
from tests.plugins.posthog.test_releases import shipped
from tests.plugins.posthog.world import Harbor, answering
from tests.support.clock import FakeClock

from opsync import Feed, Kind, MetricKind, Record, RecordError, RefusedError, SignInError
from opsync.sandbox.posthog import Series
from opsync_posthog import PostHog

HOME = "https://us.posthog.com"


async def records_of(posthog: PostHog, name: str) -> dict[str, Record]:
    """The records of one feed, by title."""
    (feed,) = [feed for feed in await posthog.feeds() if feed.name == name]
    return {
        record.title: record
        async for batch in posthog.pull(feed, None)
        for item in batch.items
        for record in posthog.normalize(item.stream, item.raw)
    }


async def test_the_project_is_the_product_and_costs_a_request_a_week(
    harbor: Harbor, clock: FakeClock
) -> None:
    for _ in range(3):
        (record,) = (await records_of(harbor.connect(), "project")).values()
        assert await harbor.connect().zone() == "Europe/Berlin"
    assert len(harbor.calls()) == 1
    assert (record.kind, str(record.ref)) == (Kind.product, "posthog:project:1")
    assert (record.title, record.url) == ("Harbor", f"{HOME}/project/1")
    clock.advance(8 * 86_400)
    await records_of(harbor.connect(), "project")
    assert len(harbor.calls()) == 2


async def test_a_key_that_may_not_look_at_the_project_still_has_its_product(
    harbor: Harbor,
) -> None:
    harbor.project.faults.missing_scopes = {"project:read"}
    assert list(await records_of(harbor.connect(), "project")) == ["Project 1"]


async def test_a_dead_key_is_told(harbor: Harbor) -> None:
    harbor.project.faults.refuse_token = True
    with pytest.raises(SignInError, match="refused the key"):
        await records_of(harbor.connect(), "project")


async def test_lists_are_read_while_something_names_what_they_hold(harbor: Harbor) -> None:
    feeds = {feed.name: feed for feed in await harbor.connect().feeds()}
    assert harbor.calls() == []
    assert {name: feed.named for name, feed in feeds.items()} == {
        "project": "",
        "feature_flags": "flag:",
        "experiments": "experiment:",
        "insights": "insight:",
        "annotations": "annotation:",
    }
    assert all(feed.snapshot for feed in feeds.values())


async def test_flags_experiments_and_insights_say_which_metric_they_stand_for(
    harbor: Harbor,
) -> None:
    flag = harbor.project.flag("one-tap")
    experiment = harbor.project.add_experiment("One tap or two", flag)
    saved = harbor.project.add_insight("Payouts a day", Series("a", "event", "payout sent"))
    posthog = harbor.connect()
    found = {
        **await records_of(posthog, "feature_flags"),
        **await records_of(posthog, "experiments"),
        **await records_of(posthog, "insights"),
    }
    assert {title: posthog.metric_of(one) for title, one in found.items()} == {
        "instant-payouts": (MetricKind.flag, "instant-payouts"),
        "one-tap": (MetricKind.flag, "one-tap"),
        "One tap or two": (MetricKind.flag, "one-tap"),
        "Payouts a day": (MetricKind.insight, saved.short_id),
    }
    assert {one.kind for one in found.values()} == {Kind.metric}
    assert found["one-tap"].aliases == (f"flag:{flag.id}",)
    assert found["One tap or two"].aliases == (f"experiment:{experiment.id}",)
    assert found["Payouts a day"].aliases == (f"insight:{saved.short_id}",)
    for record in found.values():
        assert posthog.recognize(record.url) == record.aliases[0]
    assert "basic=true" in harbor.project.exchanges[-1].query


async def test_of_annotations_only_people_s_are_records(harbor: Harbor) -> None:
    await shipped(harbor)
    theirs = harbor.project.add_annotation("Black\nFriday", date(2026, 2, 20))
    posthog = harbor.connect()
    (record,) = (await records_of(posthog, "annotations")).values()
    assert (record.title, record.ref.id) == ("Black Friday", str(theirs.id))
    assert posthog.recognize(record.url) == record.aliases[0] == f"annotation:{theirs.id}"
    assert posthog.metric_of(record) is None


async def test_all_pages_of_a_list_are_read(harbor: Harbor) -> None:
    for number in range(1100):
        harbor.project.add_flag(f"flag-{number}")
    found = await records_of(harbor.connect(), "feature_flags")
    assert len(found) == 1102
    assert harbor.calls() == ["GET feature_flags/"] * 3


async def test_what_was_deleted_is_no_record(harbor: Harbor) -> None:
    harbor.project.flag("one-tap").deleted = True
    assert "one-tap" not in await records_of(harbor.connect(), "feature_flags")


async def test_a_missing_scope_is_the_trouble_of_its_list_alone(harbor: Harbor) -> None:
    harbor.project.faults.missing_scopes = {"feature_flag:read"}
    with pytest.raises(RefusedError, match="feature_flag:read") as refused:
        await records_of(harbor.connect(), "feature_flags")
    assert "Feature flag: Read" in refused.value.hint


async def test_a_row_that_cannot_be_read_is_set_aside_and_the_others_stay(harbor: Harbor) -> None:
    rows = [{"id": 7, "key": 5}, {"id": 8, "key": "fine"}]
    harbor.transport = answering({"count": 2, "next": None, "results": rows})
    posthog = harbor.connect()
    (batch,) = [b async for b in posthog.pull(Feed("feature_flags", ("flag",)), None)]
    assert [item.id for item in batch.items] == ["7", "8"]
    assert isinstance(batch.items[0].raw, RecordError)


async def test_a_list_that_goes_in_circles_is_left(harbor: Harbor) -> None:
    page = {"count": 9, "next": f"{HOME}/api/x/?limit=500", "results": []}
    harbor.transport = answering(page)
    with pytest.raises(Exception, match="circles"):
        await records_of(harbor.connect(), "feature_flags")


async def test_next_pages_are_asked_of_our_own_host(harbor: Harbor) -> None:
    harbor.project.base_url = "https://evil.example"
    for number in range(600):
        harbor.project.add_flag(f"flag-{number}")
    assert len(await records_of(harbor.connect(), "feature_flags")) == 602


def test_a_stranger_s_row_is_refused(harbor: Harbor) -> None:
    with pytest.raises(RecordError, match="no stream"):
        list(harbor.connect().normalize("flag", object()))


@pytest.mark.parametrize(
    ("path", "alias"),
    [
        ("/project/1/feature_flags/123", "flag:123"),
        ("/feature_flags/123", "flag:123"),
        ("/feature_flags/123/", "flag:123"),
        ("/project/1/feature_flags/123?tab=usage#x", "flag:123"),
        ("/project/1/experiments/45", "experiment:45"),
        ("/project/1/insights/AbCd1234", "insight:AbCd1234"),
        ("/insights/AbCd1234/edit", "insight:AbCd1234"),
        ("/project/1/data-management/annotations/9", "annotation:9"),
        ("/project/1/annotations/9", "annotation:9"),
        ("/project/2/feature_flags/123", None),
        ("/project/11/feature_flags/123", None),
        ("/project/1/feature_flags/new", None),
        ("/project/1/feature_flags/123abc", None),
        ("/project/1/feature_flags", None),
        ("/project/1/insights/new", None),
        ("/project/1/insights/AbCd1234-x", None),
        ("/project/1/dashboard/5", None),
        ("/project/1", None),
        ("/", None),
    ],
)
def test_addresses_of_this_project_are_known(harbor: Harbor, path: str, alias: str | None) -> None:
    assert harbor.connect().recognize(HOME + path) == alias


@pytest.mark.parametrize(
    "url",
    [
        "https://eu.posthog.com/project/1/feature_flags/1",
        "https://us.posthog.com.evil.example/project/1/feature_flags/1",
        "https://us.posthog.com@evil.example/project/1/feature_flags/1",
        "ftp://us.posthog.com/project/1/feature_flags/1",
        "https://[::1/project/1/feature_flags/1",
        "posthog",
        "",
    ],
)
def test_addresses_of_other_hosts_are_not(harbor: Harbor, url: str) -> None:
    assert harbor.connect().recognize(url) is None


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"region": "eu"}, "https://eu.posthog.com/project/1/feature_flags/1"),
        ({"region": "us"}, "https://app.posthog.com/project/1/feature_flags/1"),
        ({"base_url": "https://hog.example/x/"}, "https://hog.example/x/project/1/feature_flags/1"),
        ({"base_url": "https://hog.example/x"}, "https://HOG.example/x/feature_flags/1"),
    ],
)
def test_regions_and_own_installations_are_known(
    harbor: Harbor, settings: dict[str, str], url: str
) -> None:
    assert harbor.connect(**settings).recognize(url) == "flag:1"
    assert harbor.connect(base_url="https://other.example").recognize(url) is None
