"""What of a project becomes a record: itself, people's annotations, and what is named."""

from __future__ import annotations

from datetime import date

import pytest
from tests.plugins.mixpanel.world import World, change, desired, shipped, write
from tests.support.connector import read

from opsync import Kind, MetricKind, Record, RecordError, Ref

REPORT = Ref("mixpanel", "report", "123")


async def test_the_project_is_the_product_and_takes_no_request(world: World) -> None:
    mixpanel = world.connect(project_name="Harbor app")
    project, annotations = await mixpanel.feeds()

    (batch,) = [batch async for batch in mixpanel.pull(project, None)]
    (record,) = mixpanel.normalize(batch.items[0].stream, batch.items[0].raw)

    assert (record.kind, record.title) == (Kind.product, "Harbor app")
    assert record.ref == Ref("mixpanel", "project", "3141592")
    assert record.url == "https://mixpanel.com/project/3141592"
    assert (project.named, annotations.named) == ("", "annotation:")
    assert (project.snapshot, annotations.snapshot) == (True, True)
    assert world.asked == []


async def test_a_project_without_a_name_goes_by_its_number(world: World) -> None:
    assert "Mixpanel project 3141592" in await read(world.connect())


async def test_peoples_annotations_are_records_and_ours_are_not(world: World) -> None:
    mixpanel = world.connect()
    await write(mixpanel, change(desired(mixpanel, shipped())))
    text = "Price change, see\nhttps://app.notion.com/p/7"
    theirs = world.project.add_annotation(date(2026, 2, 20), text)
    world.project.add_annotation(date(2026, 2, 21), " ")

    records = await read(mixpanel)

    record = records["Price change, see https://app.notion.com/p/7"]
    assert (record.kind, record.aliases) == (Kind.metric, (f"annotation:{theirs.id}",))
    assert [one.text for one in record.texts] == [text]
    assert not record.texts[0].property
    assert len(records) == 3
    assert not any("Shipped" in title for title in records)


async def test_what_is_listed_nowhere_is_known_by_its_address(world: World) -> None:
    mixpanel = world.connect()

    found = await mixpanel.resolve(
        ["report:123", "board:5", "flag:42", "experiment:7", "annotation:9", "PAY-1", "report:"]
    )

    assert set(found) == {"report:123", "board:5", "flag:42", "experiment:7"}
    record = found["report:123"]
    assert isinstance(record, Record)
    assert (record.ref, record.kind, record.aliases) == (REPORT, Kind.metric, ("report:123",))
    assert mixpanel.recognize(record.url) == "report:123"
    assert world.asked == []


async def test_a_report_stands_for_what_it_shows_and_a_flags_address_does_not_tell_its_key(
    world: World,
) -> None:
    mixpanel = world.connect()
    found = await mixpanel.resolve(["report:123", "flag:42", "board:5"])
    stands = {
        alias: mixpanel.metric_of(record)
        for alias, record in found.items()
        if isinstance(record, Record)
    }

    assert stands == {"report:123": (MetricKind.insight, "123"), "flag:42": None, "board:5": None}


async def test_what_is_no_raw_object_of_ours_is_set_aside(world: World) -> None:
    with pytest.raises(RecordError, match="no stream"):
        list(world.connect().normalize("cohort", {}))


async def test_the_time_zone_is_that_of_the_settings(world: World) -> None:
    assert await world.connect().zone() == ""
    assert await world.connect(time_zone="Europe/Berlin").zone() == "Europe/Berlin"
    assert world.asked == []
