from __future__ import annotations

import pytest
from tests.plugins.notion.world import EPIC, Roadmap, published
from tests.support.connector import pull

from opsync import Category, Grant, Guess, SignInError
from opsync_notion import Notion

NOBODY = "00000000-0000-0000-0000-000000000000"
"""A data source that is none, as a configuration has before one was chosen."""
LINEAR = "https://linear.app/harbor/project/checkout-web-0a1b2c3d4e5f"


async def granted(notion: Notion) -> dict[str, Grant]:
    return {grant.name: grant async for grant in notion.grants()}


async def test_writing_is_not_tried_and_everything_else_is_told_in_three_requests(
    roadmap: Roadmap,
) -> None:
    roadmap.workspace.add_user("Ana Reyes", "ana@harbor.example")

    grants = await granted(roadmap.connect(block={"id": NOBODY}))

    assert {name: (one.needed, one.held) for name, one in grants.items()} == {
        "Read content": ("read", True),
        "Content access": ("read", True),
        "User information": ("read", True),
        "Update content": ("write", None),
    }
    assert (roadmap.workspace.read_requests, roadmap.workspace.write_requests) == (3, 0)


@pytest.mark.parametrize(
    ("missing", "name", "click"),
    [
        ("read content", "Read content", '"Read content"'),
        ("user information", "User information", "including email addresses"),
        ("email addresses", "User information", "including email addresses"),
    ],
)
async def test_a_missing_capability_is_told_with_the_clicks_that_give_it(
    roadmap: Roadmap, missing: str, name: str, click: str
) -> None:
    roadmap.workspace.add_user("Ana Reyes", "ana@harbor.example")
    roadmap.workspace.faults.missing_scopes = {missing}

    grants = await granted(roadmap.connect())

    assert [one.name for one in grants.values() if one.held is False] == [name]
    assert click in grants[name].hint
    assert "Configuration → Capabilities" in grants[name].hint


async def test_a_connection_that_is_shared_with_nothing_is_told(roadmap: Roadmap) -> None:
    roadmap.workspace.faults.deny = {roadmap.source.id}

    grants = await granted(roadmap.connect())

    assert grants["Content access"].held is False
    assert "••• → Connections → opsync" in grants["Content access"].hint


async def test_whether_addresses_are_told_is_unknown_without_people(roadmap: Roadmap) -> None:
    state = roadmap.workspace.state
    state.users = {id_: user for id_, user in state.users.items() if user.is_bot}

    assert (await granted(roadmap.connect()))["User information"].held is None


async def test_a_refused_token_is_an_error_and_no_grant(roadmap: Roadmap) -> None:
    roadmap.workspace.faults.refuse_token = True

    with pytest.raises(SignInError, match="Notion refused the token"):
        await granted(roadmap.connect())


async def test_shared_data_sources_are_to_choose_from_before_one_is_configured(
    roadmap: Roadmap,
) -> None:
    workspace = roadmap.workspace
    plans = workspace.add_database("Plans", properties={})
    workspace.add_data_source(plans, "Archive", {})
    hidden = workspace.add_database("Salaries", properties={})
    workspace.faults.deny = {hidden.id}

    choices = await roadmap.connect(block={"id": NOBODY}).choices()

    assert [(c.name, c.note) for c in choices] == [
        ("Archive", "of the database Plans"),
        ("Plans", "of the database Plans"),
        ("Roadmap", ""),
    ]
    assert roadmap.source.id in {choice.id for choice in choices}


async def test_all_pages_of_data_sources_are_to_choose_from(roadmap: Roadmap) -> None:
    for number in range(130):
        roadmap.workspace.add_database(f"Database {number}", properties={})

    assert len(await roadmap.connect().choices()) == 131
    assert roadmap.reads_of("/v1/search") == 2


def guessed(guesses: tuple[Guess, ...] | list[Guess], role: str) -> Guess:
    (found,) = (guess for guess in guesses if guess.role == role)
    return found


async def test_the_column_with_most_links_to_work_wins_whatever_it_is_called(
    roadmap: Roadmap,
) -> None:
    workspace = roadmap.workspace
    columns = {
        "Name": {"title": {}},
        "Jira": {"rich_text": {}},
        "Notes": {"rich_text": {}},
        "Website": {"url": {}},
        "Stage": {"status": {}},
        "Launch": {"date": {}},
        "Lead": {"people": {}},
    }
    ana = workspace.add_user("Ana Reyes", "ana@harbor.example")
    source = workspace.add_database("Plans", properties=columns).data_source
    for number in range(5):
        cells = {
            "Name": f"Initiative {number}",
            "Jira": "the checkout board",
            "Notes": f"see {EPIC} and {LINEAR}" if number else "",
            "Website": "https://harbor.example/checkout",
            "Stage": "In progress",
            "Launch": "2026-12-01",
            "Lead": [ana],
        }
        workspace.add_page(source, cells)

    found = list(await roadmap.connect(block={"id": source.id}).guesses())

    assert {guess.role: guess.column for guess in found} == {
        "title": "Name",
        "status": "Stage",
        "due": "Launch",
        "owner": "Lead",
        "links": "Notes",
        **dict.fromkeys(("event", "flag", "insight", "released"), ""),
    }
    assert len(guessed(found, "title").examples) == 3
    assert all(EPIC in text for text in guessed(found, "links").examples)
    assert set(guessed(found, "owner").examples) == {"Ana Reyes"}
    assert set(guessed(found, "status").examples) == {"In progress"}
    assert set(guessed(found, "due").examples) == {"2026-12-01"}
    assert workspace.write_requests == 0


USE = {
    "Name": {"title": {}},
    "Flag": {"rich_text": {}},
    "Metric": {"rich_text": {}},
    "Dashboard report": {"url": {}},
    "Flagged": {"checkbox": {}},
    "Event day": {"date": {}},
    "Due": {"date": {}},
    "Shipped on": {"date": {}},
}
"""The columns of a roadmap that tells of use."""


async def test_columns_that_tell_of_use_are_known_by_name_and_type(roadmap: Roadmap) -> None:
    source = roadmap.workspace.add_database("Plans", properties=USE).data_source
    for number in range(4):
        cells = {"Name": f"Initiative {number}", "Due": "2026-12-01"}
        if number == 1:
            cells |= {"Flag": "instant-payouts", "Metric": "checkout_paid"}
            cells |= {"Shipped on": "2026-11-07", "Dashboard report": "https://eu.posthog.com/i/1"}
        roadmap.workspace.add_page(source, cells)

    found = list(await roadmap.connect(block={"id": source.id}).guesses())

    assert {role: guessed(found, role).column for role in ("event", "flag", "insight")} == {
        "event": "Metric",
        "flag": "Flag",
        "insight": "Dashboard report",
    }
    released = guessed(found, "released")
    assert released.column == "Shipped on"
    assert set(released.others) == {"Event day", "Due"}
    assert "instant-payouts" in guessed(found, "flag").examples
    row = guessed(found, "flag").examples.index("instant-payouts")
    assert guessed(found, "title").examples[row] == "Initiative 1"
    assert released.examples[row] == "2026-11-07"
    assert guessed(found, "flag").others["Metric"][row] == "checkout_paid"
    assert "Flagged" not in guessed(found, "flag").others


@pytest.mark.parametrize(
    ("column", "text", "role", "taken"),
    [
        ("Flag", "needs a decision from legal", "flag", False),
        ("Feature flag", "https://eu.posthog.com/project/1/feature_flags/4", "flag", True),
        ("Metric", "Raise activation to 40 %", "event", False),
        ("Metric", "40", "event", False),
        ("Event", "Checkout paid", "event", True),
        ("Event", "Checkout paid\nand more", "event", False),
        ("Events we look at", "", "event", True),
        ("Ereignis", "checkout_paid", "event", True),
        ("Flagship", "one-tap", "flag", False),
        ("Flag", "instant-payouts", "event", False),
    ],
)
async def test_prose_is_no_name_of_anything_that_is_measured(
    roadmap: Roadmap, column: str, text: str, role: str, taken: bool
) -> None:
    columns = {"Name": {"title": {}}, column: {"rich_text": {}}}
    source = roadmap.workspace.add_database("Plans", properties=columns).data_source
    roadmap.workspace.add_page(source, {"Name": "One-tap checkout", column: text})

    found = list(await roadmap.connect(block={"id": source.id}).guesses())

    assert guessed(found, role).column == (column if taken else "")
    assert taken or column in guessed(found, role).others


async def test_the_examples_are_of_the_same_rows_for_every_role(roadmap: Roadmap) -> None:
    for number in range(3):
        roadmap.add(f"Initiative {number}", Tracked_in=f"PAY-10{number}")

    found = list(await roadmap.connect().guesses())

    titles = [text[-1] for text in guessed(found, "title").examples]
    assert [text[-1] for text in guessed(found, "links").examples] == titles


async def test_without_any_link_a_column_that_is_called_so_is_guessed(roadmap: Roadmap) -> None:
    roadmap.add("One-tap checkout")

    assert guessed(list(await roadmap.connect().guesses()), "links").column == "Tracked in"


async def test_what_is_not_there_is_guessed_as_nothing(roadmap: Roadmap) -> None:
    source = roadmap.workspace.add_database("Bare", properties={}).data_source
    roadmap.workspace.add_page(source, {"Name": "One-tap checkout"})

    found = list(await roadmap.connect(block={"id": source.id}).guesses())

    assert guessed(found, "links") == Guess(source.id, "links", "")
    assert guessed(found, "due").column == ""
    assert guessed(found, "title").examples == ("One-tap checkout",)


async def test_opsyncs_own_columns_are_never_guessed(roadmap: Roadmap) -> None:
    roadmap.add("One-tap checkout")
    await published(roadmap, "One-tap checkout")
    roadmap.kept.clear()

    assert "PAY-100" in roadmap.workspace.page("One-tap checkout").text("Work")
    assert guessed(list(await roadmap.connect().guesses()), "links").column == "Tracked in"


async def test_private_rows_are_no_examples(roadmap: Roadmap) -> None:
    roadmap.source.schema.add("Secret", {"checkbox": {}})
    roadmap.add("Layoffs", Tracked_in=EPIC, Secret=True)
    roadmap.add("One-tap checkout", Tracked_in=EPIC, Secret=False)

    found = list(await roadmap.connect(block={"private_column": "Secret"}).guesses())

    assert guessed(found, "title").examples == ("One-tap checkout",)


@pytest.mark.parametrize("pages", [0, 3, 150])
async def test_a_first_read_takes_about_the_requests_that_were_foretold(
    roadmap: Roadmap, pages: int
) -> None:
    for number in range(pages):
        roadmap.add(f"Initiative {number}")
    notion = roadmap.connect()

    told = await notion.first_read()

    assert (told.items, told.more) == (pages, False)
    roadmap.kept.clear()
    before = roadmap.workspace.read_requests
    await pull(roadmap.connect())
    assert told.requests == roadmap.workspace.read_requests - before
    assert told.seconds > 0


async def test_a_large_data_source_is_not_counted_to_its_end(roadmap: Roadmap) -> None:
    for number in range(320):
        roadmap.add(f"Initiative {number}")

    told = await roadmap.connect().first_read()

    assert (told.items, told.more) == (300, True)
    assert roadmap.reads_of("/query") == 3


async def test_a_first_read_counts_what_is_in_scope(roadmap: Roadmap) -> None:
    roadmap.add("One-tap checkout", Status="In progress")
    roadmap.add("Loyalty", Status="Done")

    told = await roadmap.connect(block={"where": {"Status": ["Done"]}}).first_read()

    assert told.items == 1


async def test_the_options_of_a_status_are_told_by_their_group(roadmap: Roadmap) -> None:
    notion = roadmap.connect(statuses={"Done": Category.canceled})

    words = {word.name: word for word in await notion.status_words()}

    assert {name: (w.category, w.counts_as, w.where) for name, w in words.items()} == {
        "Not started": (Category.todo, Category.todo, ("Roadmap",)),
        "In progress": (Category.in_progress, Category.in_progress, ("Roadmap",)),
        "Done": (Category.done, Category.canceled, ("Roadmap",)),
    }


async def test_a_select_tells_no_category(roadmap: Roadmap) -> None:
    columns = {"Name": {"title": {}}, "Status": {"select": {"options": [{"name": "Idea"}]}}}
    source = roadmap.workspace.add_database("Plans", properties=columns).data_source

    (word,) = await roadmap.connect(block={"id": source.id}).status_words()

    assert (word.name, word.category) == ("Idea", Category.unknown)
