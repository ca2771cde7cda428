"""Another language or another template: what stands is written anew, once, and stays opsync's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.world import World, jira_url, troubles

GERMAN = {"language": "de"}


def stands(world: World) -> dict[str, object]:
    """All that opsync wrote, in all tools."""
    pages = (world.checkout, world.loyalty)
    return {
        "delivery": [page.text("Delivery") for page in pages],
        "health": [page.text("Delivery health") for page in pages],
        "work": [page.text("Work") for page in pages],
        "epic": [(x["title"], x.get("summary")) for x in world.remote_links("PAY-1")],
        "issue": [x["title"] for x in world.remote_links("PAY-3")],
        "project": world.project_links(),
        "card form": world.attachments("GRO-3"),
    }


def options(world: World) -> list[str]:
    return [option.name for option in world.source.prop("Delivery health").options]


async def test_another_language_is_written_once_in_every_tool(settled: World) -> None:
    settled.raw["wording"] = GERMAN

    report = await settled.sync()

    assert report.exit_code == 0, troubles(report)
    assert settled.checkout.text("Delivery").startswith("2 von 5 erledigt")
    assert settled.checkout.text("Delivery health") == "Im Plan"
    epic, *_ = [x for x in settled.remote_links("PAY-1") if ":rollup:" in x["globalId"]]
    assert epic["summary"] == "2/5 erledigt"
    [attachment] = settled.linear.issue("GRO-3").attachments
    assert attachment.subtitle == "Jira · in Arbeit"
    assert report.plan.held == []
    await settled.silent()


async def test_the_way_back_is_as_if_nothing_had_happened(settled: World) -> None:
    before = stands(settled)
    settled.raw["wording"] = GERMAN
    await settled.sync()
    assert stands(settled) != before

    del settled.raw["wording"]
    await settled.sync()

    assert stands(settled) == before
    await settled.silent()


async def test_german_texts_are_known_again_after_a_lost_store(settled: World) -> None:
    settled.raw["wording"] = GERMAN
    await settled.sync()
    before, columns = stands(settled), len(settled.source.schema.properties)
    settled.lose_store()

    report = await settled.sync()

    assert (report.applied, report.plan.held) == (0, [])
    assert stands(settled) == before
    assert len(settled.source.schema.properties) == columns
    await settled.silent()


@pytest.mark.sampled
@pytest.mark.parametrize(
    "wording",
    [
        GERMAN,
        {"texts": {"delivery": "{why} · {head}", "head": "{done} of {total} finished"}},
        {"language": "de", "separator": " | ", "date_format": "{day2}.{month2}."},
    ],
    ids=["language", "template", "form"],
)
async def test_a_lost_store_and_other_words_at_once_double_nothing(
    settled: World, wording: dict[str, Any]
) -> None:
    columns = len(settled.source.schema.properties)
    settled.lose_store()
    settled.raw["wording"] = wording

    report = await settled.sync()

    assert [h.why for h in report.plan.held] == []
    assert len(settled.source.schema.properties) == columns
    assert len(settled.project_links()) == 1
    assert len(settled.attachments("GRO-3")) == 1
    assert "2 of 5 done" not in settled.checkout.text("Delivery")
    await settled.silent()


async def test_a_new_language_adds_its_options_beside_those_that_are_there(
    settled: World,
) -> None:
    english = options(settled)
    settled.raw["wording"] = GERMAN

    await settled.sync()

    assert options(settled)[: len(english)] == english
    assert options(settled)[len(english) :] == ["Im Plan"]


@pytest.mark.slow
async def test_columns_that_are_made_in_german_are_german_and_found_again(world: World) -> None:
    world.raw["wording"] = GERMAN
    await world.sync()
    health = world.source.prop("Delivery health")
    assert {o.name: o.color for o in health.options} == {
        "Nicht begonnen": "gray",
        "Im Plan": "green",
        "Gefährdet": "yellow",
        "In Verzug": "red",
        "Pausiert": "purple",
        "Erledigt": "blue",
        "Keine verknüpfte Arbeit": "default",
    }
    columns = len(world.source.schema.properties)
    world.lose_store()
    del world.raw["wording"]

    report = await world.sync()

    assert report.plan.held == []
    assert len(world.source.schema.properties) == columns
    assert world.checkout.text("Delivery") == "2 of 5 done · Payments 1/3, Growth 1/2"
    await world.silent()


async def test_a_person_s_edit_is_theirs_in_any_language(settled: World) -> None:
    settled.raw["wording"] = GERMAN
    await settled.sync()
    settled.notion.edit_page(settled.checkout, "Delivery", "2 von 5 erledigt · Ana fragen")
    settled.lose_store()

    await settled.sync()

    assert settled.checkout.text("Delivery") == "2 von 5 erledigt · Ana fragen"


async def test_another_word_for_a_health_is_no_edit(settled: World) -> None:
    settled.raw["wording"] = {"health": {"on_track": "on TRACK"}}

    report = await settled.sync()

    assert report.plan.held == []
    await settled.silent()


async def test_text_from_a_tool_is_never_read_as_a_template(world: World) -> None:
    page = world.page("{count} of {done} · {health.x}", jira_url("PAY-1"))
    await world.sync()

    links = [x["title"] for x in world.remote_links("PAY-1")]

    assert "Roadmap: {count} of {done} · {health.x}" in links
    assert page.text("Delivery") != ""
    await world.silent()
