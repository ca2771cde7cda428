"""Pages are read in full once, and then only where they changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.plugins.notion.world import EPIC, ROADMAP, Roadmap, published
from tests.support.clock import FakeClock
from tests.support.connector import pull, read

from opsync import BadAnswer, Category, NotFound, RecordError, SignInError
from opsync.sandbox.notion import User


async def test_a_first_read_brings_every_page_with_what_people_wrote(roadmap: Roadmap) -> None:
    ana = roadmap.workspace.person()
    roadmap.add("One-tap checkout", Tracked_in=EPIC, Status="In progress", Owner=ana)
    records = await read(roadmap.connect())
    page = records["One-tap checkout"]
    assert page.status is not None
    assert (page.status.name, page.category) == ("In progress", Category.in_progress)
    assert page.owner is not None
    assert page.owner.email == "ana@harbor.example"
    assert page.space == "Roadmap"
    assert page.aliases == (page.ref.id.replace("-", ""),)
    assert [(t.field, t.property) for t in page.texts] == [("Name", False), ("Tracked in", True)]


async def test_a_database_id_with_or_without_dashes_and_a_link_mean_the_same(
    roadmap: Roadmap,
) -> None:
    roadmap.add("A")
    database = roadmap.source.database_id
    short = database.replace("-", "")
    view = "0" * 32
    for spelling in (database, short, f"https://www.notion.so/harbor/Roadmap-{short}?v={view}"):
        roadmap.kept.clear()
        (feed,) = await roadmap.connect(block={"id": spelling}).feeds()
        assert feed.name == roadmap.source.id


async def test_every_data_source_of_a_database_is_a_feed(roadmap: Roadmap) -> None:
    database = roadmap.workspace.state.databases[roadmap.source.database_id]
    roadmap.workspace.add_data_source(database, "Ideas", ROADMAP)
    assert len(await roadmap.connect(block={"id": database.id}).feeds()) == 2


async def test_a_run_with_nothing_new_makes_one_read(roadmap: Roadmap, clock: FakeClock) -> None:
    roadmap.add("A")
    await published(roadmap, "A")
    clock.advance(600)
    since = clock.now() - timedelta(seconds=300)
    await pull(roadmap.connect(), since)
    before = roadmap.workspace.read_requests
    batches = await pull(roadmap.connect(), since)
    assert roadmap.workspace.read_requests - before == 1
    assert [len(batch.items) for batch in batches] == [0]


async def test_rows_of_the_boundary_minute_are_read_again(
    roadmap: Roadmap, clock: FakeClock
) -> None:
    """Trouble 13, I8"""
    clock.advance(50)
    roadmap.add("Edited late in the minute")
    high = (await pull(roadmap.connect()))[0].high
    assert high is not None
    assert high.second == 0
    roadmap.add("Made a second later")
    assert len(await read(roadmap.connect(), high + timedelta(seconds=59))) == 2


async def test_changes_come_oldest_first_and_let_the_cursor_follow(
    roadmap: Roadmap, clock: FakeClock
) -> None:
    start = clock.now()
    for number in range(5):
        clock.advance(60)
        roadmap.add(f"Page {number}")
    batches = await pull(roadmap.connect(page_size=2), start)
    highs = [batch.high for batch in batches]
    assert [len(batch.items) for batch in batches] == [2, 2, 1]
    assert highs == sorted(h for h in highs if h)
    assert all(batch.resumable for batch in batches)


async def test_a_first_read_never_claims_more_than_it_can_have_seen(
    roadmap: Roadmap, clock: FakeClock
) -> None:
    for number in range(4):
        roadmap.add(f"Page {number}")
    notion = roadmap.connect(page_size=2)
    (feed,) = await notion.feeds()
    begun = clock.now()
    highs = []
    async for batch in notion.pull(feed, None):
        highs.append(batch.high)
        assert not batch.resumable
        clock.advance(3600)
        for page in roadmap.workspace.state.pages.values():
            roadmap.workspace.edit_page(page, "Tracked in", "edited meanwhile")
    assert max(h for h in highs if h) <= begun


async def test_an_empty_database_is_not_read_in_full_forever(roadmap: Roadmap) -> None:
    batches = await pull(roadmap.connect())
    assert batches[0].high is not None


async def test_more_rows_than_a_query_answers_are_read_window_by_window(
    roadmap: Roadmap, clock: FakeClock
) -> None:
    roadmap.workspace.result_limit = 6
    for number in range(25):
        roadmap.add(f"Page {number}")
        clock.advance(25)
    batches = await pull(roadmap.connect(page_size=3))
    ids = [item.id for batch in batches for item in batch.items]
    assert len(ids) == len(set(ids)) == 25


async def test_changes_beyond_what_a_query_answers_are_read_too(
    roadmap: Roadmap, clock: FakeClock
) -> None:
    roadmap.workspace.result_limit = 6
    start = clock.now()
    for number in range(25):
        roadmap.add(f"Page {number}")
        clock.advance(25)
    assert len(await read(roadmap.connect(page_size=3), start)) == 25


@pytest.mark.parametrize("earlier", [0, 3])
async def test_more_rows_in_a_minute_than_a_query_answers_are_an_error_not_a_loss(
    roadmap: Roadmap, clock: FakeClock, earlier: int
) -> None:
    roadmap.workspace.result_limit = 6
    for number in range(earlier):
        roadmap.add(f"Earlier {number}")
    clock.advance(60)
    for number in range(8):
        roadmap.add(f"Page {number}")
    with pytest.raises(BadAnswer, match="in one minute"):
        await pull(roadmap.connect())


async def test_trashed_pages_are_gone_and_archived_ones_still_count(roadmap: Roadmap) -> None:
    roadmap.workspace.trash(roadmap.add("Thrown away"))
    roadmap.add("Put aside").archived = True
    for version in ("2026-03-11", "2025-09-03"):
        records = await read(roadmap.connect(version=version))
        assert records["Thrown away"].tombstone == "trashed"
        assert records["Put aside"].tombstone == ""
        assert records["Put aside"].archived


async def test_more_than_25_relations_and_people_are_read_to_the_end(roadmap: Roadmap) -> None:
    workspace = roadmap.workspace
    epics = workspace.add_database("Epics", properties={}).data_source
    pages = [workspace.add_page(epics, {"Name": f"E{n}"}) for n in range(130)]
    people = [workspace.add_user(f"U{n}", f"u{n}@harbor.example") for n in range(30)]
    roadmap.source.schema.add("Epics", {"relation": {"data_source_id": epics.id}})
    roadmap.source.schema.add("Team", {"people": {}})
    roadmap.add("Big", Epics=pages, Team=people)
    big = (await read(roadmap.connect()))["Big"]
    (linked,) = (text.text for text in big.texts if text.field == "Epics")
    assert len(linked.splitlines()) == 130
    assert linked.splitlines()[0] == f"https://app.notion.com/p/{pages[0].id.replace('-', '')}"
    assert len(big.extra["Team"].split(", ")) == 30


async def test_bodies_are_read_only_if_asked_for_and_only_of_changed_pages(
    roadmap: Roadmap, clock: FakeClock
) -> None:
    old = roadmap.add("Old")
    old.body = "see PAY-7"
    records = await read(roadmap.connect())
    assert roadmap.reads_of("/markdown") == 0
    assert [t.field for t in records["Old"].texts] == ["Name"]
    clock.advance(3600)
    roadmap.workspace.trash(roadmap.add("Thrown away"))
    new = roadmap.add("New")
    new.body = f"as in {EPIC}"
    records = await read(roadmap.connect(read_body=True), clock.now())
    assert roadmap.reads_of("/markdown") == 1
    await read(roadmap.connect(read_body=True))
    assert roadmap.reads_of("/markdown") == 1 + 2
    (body,) = (t for t in records["New"].texts if t.field == "page body")
    assert (body.text, body.property) == (f"as in {EPIC}", False)


async def test_a_run_with_nothing_new_reads_no_body_again(
    roadmap: Roadmap, clock: FakeClock
) -> None:
    roadmap.add("A")
    page = roadmap.add("B")
    clock.advance(60)
    high = (await pull(roadmap.connect(read_body=True)))[0].high
    assert high is not None
    since = high - timedelta(seconds=300)
    before = roadmap.workspace.read_requests

    batches = await pull(roadmap.connect(read_body=True), since)

    assert batches == []
    assert roadmap.workspace.read_requests - before == 1

    roadmap.workspace.edit_page(page, "Tracked in", "edited since")
    assert list(await read(roadmap.connect(read_body=True), since)) == ["B"]
    # In the minute of the edit another one would not show: the body is read once more.
    assert list(await read(roadmap.connect(read_body=True), since)) == ["B"]
    clock.advance(60)
    assert list(await read(roadmap.connect(read_body=True), since)) == ["B"]
    assert list(await read(roadmap.connect(read_body=True), since)) == []


async def test_a_batch_that_was_not_taken_is_read_again(roadmap: Roadmap, clock: FakeClock) -> None:
    roadmap.add("A")
    clock.advance(60)
    start = clock.now() - timedelta(hours=1)
    notion = roadmap.connect(read_body=True)
    (feed,) = await notion.feeds()
    async for _ in notion.pull(feed, start):
        break  # as when the store cannot take it

    assert list(await read(roadmap.connect(read_body=True), start)) == ["A"]


async def test_the_cursor_stays_behind_what_may_not_be_listed_yet(
    roadmap: Roadmap, clock: FakeClock
) -> None:
    start = clock.now()
    roadmap.add("A")
    clock.advance(30)
    (batch,) = await pull(roadmap.connect(), start)
    assert batch.high is not None
    assert batch.high <= clock.now() - timedelta(minutes=2)


async def test_a_page_whose_body_is_refused_is_set_aside_alone(roadmap: Roadmap) -> None:
    roadmap.add("Fine")
    hidden = roadmap.add("Hidden")
    notion = roadmap.connect(read_body=True)
    (feed,) = await notion.feeds()
    denied = roadmap.workspace.faults.deny
    original = roadmap.workspace.denies

    def listed_but_not_readable(*ids: str) -> bool:
        asked = roadmap.workspace.exchanges
        return original(*ids) and bool(asked) and "query" in asked[-1].path

    denied.add(hidden.id)
    roadmap.workspace.denies = listed_but_not_readable  # type: ignore[method-assign]  # a fault
    items = [item async for batch in notion.pull(feed, None) for item in batch.items]
    broken = {item.id for item in items if isinstance(item.raw, RecordError)}
    assert broken == {hidden.id}
    assert len(items) == 2


async def test_a_new_column_is_noticed_without_a_full_read(
    roadmap: Roadmap, clock: FakeClock
) -> None:
    roadmap.add("A")
    await read(roadmap.connect())
    clock.advance(600)
    roadmap.source.schema.add("Stage", {"status": {}})
    roadmap.workspace.rename_property(roadmap.source, "Status", "Old status")
    page = roadmap.add("B", Stage="Done", Old_status="In progress")
    records = await read(roadmap.connect(block={"status": "Stage"}), clock.now())
    assert records["B"].category is Category.done
    assert page.title == "B"


async def test_a_new_status_option_is_noticed_without_a_full_read(
    roadmap: Roadmap, clock: FakeClock
) -> None:
    await read(roadmap.connect())
    clock.advance(600)
    prop = roadmap.source.prop("Status")
    options = [{"name": o.name} for o in prop.options] + [{"name": "Live", "group": "Complete"}]
    roadmap.source.schema.change(prop, {"status": {"options": options}})
    roadmap.add("A", Status="Live")
    assert (await read(roadmap.connect(), clock.now()))["A"].category is Category.done


class WithoutArchive(httpx.AsyncBaseTransport):
    """An API that does not know how to list archived pages."""

    def __init__(self, way: httpx.AsyncBaseTransport) -> None:
        self.way = way
        self.refused = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if b"is_archived" in await request.aread():
            self.refused += 1
            said = {"object": "error", "status": 400, "code": "validation_error", "message": "no"}
            return httpx.Response(400, json=said)
        return await self.way.handle_async_request(request)


async def test_an_api_that_cannot_list_archived_pages_is_asked_once(
    roadmap: Roadmap, monkeypatch: pytest.MonkeyPatch
) -> None:
    roadmap.workspace.trash(roadmap.add("Thrown away"))
    older = WithoutArchive(roadmap.transport())
    monkeypatch.setattr(roadmap, "transport", lambda: older)
    for _ in range(2):
        assert set(await read(roadmap.connect())) == {"Thrown away"}
    assert older.refused == 1


async def test_a_hidden_database_fails_alone_and_names_the_click(roadmap: Roadmap) -> None:
    other = roadmap.workspace.add_database("Secret", properties={}).data_source
    roadmap.workspace.faults.deny |= {other.id, other.database_id}
    roadmap.add("A")
    blocks = [{"id": roadmap.source.id}, {"id": other.database_id}]
    notion = roadmap.connect(data_sources=blocks)
    seen, hidden = await notion.feeds()
    assert sum([len(b.items) async for b in notion.pull(seen, None)]) == 1
    with pytest.raises(NotFound, match="Connections → opsync"):
        [batch async for batch in notion.pull(hidden, None)]


async def test_a_dead_token_is_a_sign_in_error(roadmap: Roadmap) -> None:
    notion = roadmap.connect()
    roadmap.workspace.faults.refuse_token = True
    with pytest.raises(SignInError, match="refused the token"):
        await pull(notion)


async def test_cut_and_limited_answers_are_asked_for_again(roadmap: Roadmap) -> None:
    roadmap.add("A")
    notion = roadmap.connect()
    roadmap.workspace.faults.cut_next = 1
    roadmap.workspace.faults.rate_limit_next = 1
    assert set(await read(notion)) == {"A"}


async def test_times_are_utc(roadmap: Roadmap, clock: FakeClock) -> None:
    roadmap.add("A")
    page = (await read(roadmap.connect()))["A"]
    assert page.created_at == clock.now().replace(second=0)
    assert page.created_at.tzinfo is UTC
    assert page.updated_at == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def test_an_edit_by_another_connection_keeps_its_time(roadmap: Roadmap) -> None:
    bot = User("6f0f6a1c-0000-4000-8000-000000000001", "mirror")
    roadmap.workspace.state.users[bot.id] = bot
    page = roadmap.add("A")
    await published(roadmap, "A")
    assert (await read(roadmap.connect()))["A"].updated_at is None
    roadmap.workspace.edit_page(page, "Tracked in", "x", by=bot)
    assert (await read(roadmap.connect()))["A"].updated_at is not None
