"""What of Amplitude is a record: the project, and what people link to while somebody does."""

from __future__ import annotations

from datetime import date
from typing import Any

import httpx
import pytest

from opsync.errors import BadAnswer, RecordError, RefusedError, SignInError
from opsync.model import Kind, MetricKind, Record, Value
from opsync.sandbox.amplitude import AmplitudeProject
from opsync_amplitude import Amplitude
from tests.plugins.amplitude.conftest import Answers, Connect, apply, change, midnight, product
from tests.plugins.amplitude.test_releases import value_of

MANAGEMENT = {"management_key": "amplitude_sandbox_management"}


async def records_of(connector: Amplitude, feed: str) -> dict[str, Record]:
    """The records of one feed, by title."""
    (wanted,) = [one for one in await connector.feeds() if one.name == feed]
    return {
        record.title: record
        async for batch in connector.pull(wanted, None)
        for item in batch.items
        for record in connector.normalize(item.stream, item.raw)
    }


async def test_the_project_is_one_record_of_its_kind(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector = connect(project, project_name="Harbor app")

    (record,) = (await records_of(connector, "project")).values()

    assert (record.ref, record.kind) == (product().ref, Kind.product)
    assert (record.title, record.space) == ("Harbor app", "Harbor app")


async def test_the_project_takes_a_request_until_the_keys_were_accepted(
    project: AmplitudeProject, connect: Connect
) -> None:
    kept: dict[str, Value] = {}
    with pytest.raises(SignInError):
        await records_of(connect(project, kept=kept, api_key="old"), "project")
    await records_of(connect(project, kept=kept), "project")
    assert project.read_requests == 2

    await records_of(connect(project, kept=kept), "project")
    assert project.read_requests == 2


async def test_a_project_without_categories_accepts_its_keys_all_the_same(
    connect: Connect,
) -> None:
    missing = httpx.Response(404, json={"error": {"message": "Category not found"}})
    connector = connect(transport=Answers(api_3_annotation_categories=missing))
    assert len(await records_of(connector, "project")) == 1


async def test_feeds_take_no_request_and_lists_are_read_while_something_is_named(
    project: AmplitudeProject, connect: Connect
) -> None:
    plain = {one.name: one for one in await connect(project).feeds()}
    managed = {one.name: one for one in await connect(project, **MANAGEMENT).feeds()}

    assert set(plain) == {"project", "annotation"}
    assert set(managed) == {"project", "annotation", "flag"}
    assert (managed["project"].named, managed["project"].snapshot) == ("", True)
    assert (managed["flag"].named, managed["annotation"].named) == ("flag:", "annotation:")
    assert project.read_requests == 0


async def test_flags_and_experiments_stand_for_the_flags_of_their_keys(
    project: AmplitudeProject, connect: Connect
) -> None:
    test = project.add_flag("price-test", "Price test", experiment=True)
    connector = connect(project, org="harbor", **MANAGEMENT)

    found = await records_of(connector, "flag")

    assert set(found) == {"dark-mode", "instant-payouts", "Price test"}
    record = found["Price test"]
    assert (record.ref.stream, record.ref.id, record.kind) == (
        "experiment",
        str(test.id),
        Kind.metric,
    )
    assert record.aliases == (f"flag:{test.id}",)
    assert record.url == f"https://app.amplitude.com/experiment/harbor/123456/config/{test.id}"
    assert connector.metric_of(record) == (MetricKind.flag, "price-test")
    assert found["dark-mode"].ref.stream == "flag"


async def test_flags_are_read_page_by_page_with_the_management_key_alone(
    project: AmplitudeProject, connect: Connect
) -> None:
    for n in range(1500):
        project.add_flag(f"flag-{n}")

    found = await records_of(connect(project, **MANAGEMENT), "flag")

    assert len(found) == 1502
    assert project.read_requests == 3
    assert project.budgets[0].taken == 0


async def test_flags_of_other_projects_are_none_of_ours(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.add_flag("theirs").project_id = "999"
    project.add_flag("gone").deleted = True

    found = await records_of(connect(project, **MANAGEMENT), "flag")

    assert "theirs" not in found
    assert found["gone"].tombstone == "deleted"


async def test_a_flag_that_cannot_be_read_is_set_aside_alone(connect: Connect) -> None:
    rows = [{"id": 1, "key": "good", "projectId": 123456}, {"id": 2, "projectId": "123456"}]
    transport = Answers(
        api_1_flags={"flags": rows}, api_1_experiments={"experiments": [], "nextCursor": None}
    )
    connector = connect(transport=transport, **MANAGEMENT)
    (feed,) = [one for one in await connector.feeds() if one.name == "flag"]

    items = [item async for batch in connector.pull(feed, None) for item in batch.items]

    assert [item.id for item in items] == ["1", "2"]
    assert [isinstance(item.raw, RecordError) for item in items] == [False, True]


async def test_a_listing_that_goes_in_circles_ends(connect: Connect) -> None:
    row = {"id": 1, "key": "good", "projectId": "123456"}
    transport = Answers(api_1_flags={"flags": [row], "nextCursor": "7"})
    with pytest.raises(BadAnswer, match="circles"):
        await records_of(connect(transport=transport, **MANAGEMENT), "flag")


async def test_a_management_key_that_is_no_good_is_no_refused_sign_in(
    project: AmplitudeProject, connect: Connect
) -> None:
    with pytest.raises(RefusedError, match="management key") as raised:
        await records_of(connect(project, management_key="old"), "flag")
    assert "Management API" in raised.value.hint


async def test_the_key_pair_never_reaches_the_experiment_host(
    project: AmplitudeProject, connect: Connect
) -> None:
    transport = Answers(api_1_flags={"flags": []}, api_1_experiments={"experiments": []})

    await records_of(connect(transport=transport, region="eu", **MANAGEMENT), "flag")

    assert {one.url.host for one in transport.asked} == {"experiment.eu.amplitude.com"}
    assert {one.headers["authorization"] for one in transport.asked} == {
        "Bearer amplitude_sandbox_management"
    }


async def test_peoples_annotations_are_records_and_opsyncs_are_not(
    project: AmplitudeProject, connect: Connect
) -> None:
    theirs = project.add_annotation(
        "Price change", midnight(date(2026, 2, 1)), details="see https://harbor.example/PAY-1"
    )
    connector = connect(project)
    await apply(connector, change(value_of(connector)))

    found = await records_of(connector, "annotation")

    assert set(found) == {"Price change"}
    record = found["Price change"]
    assert (record.ref.id, record.aliases) == (str(theirs.id), (f"annotation:{theirs.id}",))
    assert [one.text for one in record.texts] == ["see https://harbor.example/PAY-1"]


async def test_an_annotation_outside_opsyncs_category_is_a_persons_with_our_marker_too(
    project: AmplitudeProject, connect: Connect
) -> None:
    copied = "Shipped: Instant payouts [opsync:3f2a91c0]"
    project.add_annotation("Copied", midnight(date(2026, 2, 1)), details=copied)

    assert set(await records_of(connect(project), "annotation")) == {"Copied"}


US = "https://app.amplitude.com"
EU = "https://app.eu.amplitude.com"
CHARTS = {
    f"{US}/analytics/harbor/chart/abc123": "chart:abc123",
    f"{US}/analytics/harbor/chart/abc123/edit/x?source=copy+url": "chart:abc123",
    f"{US}/analytics/harbor/chart/e-knlpkj8m?sharingId=Lq": "chart:e-knlpkj8m",
    "https://analytics.amplitude.com/harbor/chart/abc123": "chart:abc123",
    f"{US}/experiment/harbor/123456/config/1434818": "flag:1434818",
    f"{US}/experiment/harbor/123456/config/33841/configure": "flag:33841",
    "http://experiment.amplitude.com/harbor/123456/config/33841": "flag:33841",
    "https://amplitude.com/api/3/annotations/12345": "annotation:12345",
    f"{US}/experiment/harbor/999/config/33841": None,
    f"{EU}/analytics/harbor/chart/abc123": None,
    f"{US}/analytics/harbor/chart/new/abc": None,
    f"{US}/analytics/harbor/dashboard/abc123": None,
    f"{US}/analytics/harbor": None,
    "https://amplitude.com/docs/chart/abc123": None,
    "https://evil.example/analytics/harbor/chart/abc123": None,
    "https://app.amplitude.com.evil.example/analytics/harbor/chart/abc123": None,
    "javascript://app.amplitude.com/analytics/harbor/chart/abc123": None,
    "https://[broken/analytics/harbor/chart/abc123": None,
}


@pytest.mark.parametrize("url", CHARTS)
def test_addresses_lead_to_what_they_name(connect: Connect, url: str) -> None:
    assert connect(transport=Answers()).recognize(url) == CHARTS[url]


def test_a_named_organization_keeps_other_ones_links_out(connect: Connect) -> None:
    connector = connect(transport=Answers(), org="harbor")
    assert connector.recognize(f"{US}/analytics/Harbor/chart/abc123") == "chart:abc123"
    assert connector.recognize(f"{US}/analytics/ships/chart/abc123") is None
    assert connector.recognize(f"{US}/experiment/ships/123456/config/1") is None


def test_the_other_region_has_other_addresses(connect: Connect) -> None:
    connector = connect(transport=Answers(), region="eu")
    assert connector.recognize(f"{EU}/analytics/nav/chart/e-i94ld6q") == "chart:e-i94ld6q"
    assert connector.recognize("https://analytics.eu.amplitude.com/nav/chart/e-1") == "chart:e-1"
    note = "https://analytics.eu.amplitude.com/api/3/annotations/7"
    assert connector.recognize(note) == "annotation:7"
    assert connector.recognize(f"{US}/analytics/nav/chart/e-i94ld6q") is None


def test_the_simulated_projects_links_are_recognized(
    project: AmplitudeProject, connect: Connect
) -> None:
    saved = project.add_chart("abc123", "Checkouts", {"A": ("event", "Checkout", "uniques")})
    (flag, *_) = project.held.flags.values()
    connector = connect(project)
    assert connector.recognize(project.chart_url(saved)) == "chart:abc123"
    assert connector.recognize(project.flag_url(flag)) == f"flag:{flag.id}"


async def test_a_chart_is_known_by_its_address(project: AmplitudeProject, connect: Connect) -> None:
    connector = connect(project, org="harbor")

    found: Any = await connector.resolve(["chart:abc123", "annotation:9", "nonsense"])

    assert set(found) == {"chart:abc123"}
    record = found["chart:abc123"]
    assert (record.ref.stream, record.ref.id, record.kind) == ("chart", "abc123", Kind.metric)
    assert record.url == f"{US}/analytics/harbor/chart/abc123"
    assert "chart:abc123" in record.aliases
    assert connector.metric_of(record) == (MetricKind.insight, "abc123")
    assert project.read_requests == 0


async def test_a_flag_is_known_by_its_address_where_nothing_lists_it(
    project: AmplitudeProject, connect: Connect
) -> None:
    plain: Any = await connect(project).resolve(["flag:1434818"])
    managed = await connect(project, **MANAGEMENT).resolve(["flag:1434818"])

    assert plain["flag:1434818"].ref.id == "1434818"
    assert connect(project).metric_of(plain["flag:1434818"]) is None, "its key is not known"
    assert managed == {}


def test_the_project_stands_for_no_metric(project: AmplitudeProject, connect: Connect) -> None:
    assert connect(project).metric_of(product()) is None


def test_what_is_of_no_stream_is_refused(connect: Connect) -> None:
    with pytest.raises(RecordError, match="no stream"):
        list(connect(transport=Answers()).normalize("page", {"id": 1}))
