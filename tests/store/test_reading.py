"""What the reading commands ask."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest

from opsync.model import Kind
from opsync.store import SetAside, Store
from tests.store.build import entry, evidence, put, record, ref, rollup

Spelling = Literal["NFC", "NFD"]


async def found(store: Store, text: str, limit: int = 10) -> list[str]:
    return [f"{one.ref.instance}:{one.ref.id}" for one in await store.find(text, limit)]


async def test_an_item_is_found_by_ref_url_key_and_former_key(store: Store) -> None:
    url = "https://jira.example/browse/PAY-1?x=ä"
    one = record("jira:1", key="PAY-1", url=url, aliases=("PAY-1", "OLD-7"))
    await put(store, 1, one, record("jira:2", title=f"about {url}"))
    for text in ("jira:issue:1", url, "PAY-1", "pay-1", " OLD-7 "):
        assert await found(store, text) == ["jira:1"]


async def test_an_item_is_found_by_its_key_even_where_that_is_no_alias(store: Store) -> None:
    await put(store, 1, record("notion:1", key="INI-3"))
    assert await found(store, "ini-3") == ["notion:1"]


async def test_pieces_of_titles_are_found_best_first(store: Store) -> None:
    await put(
        store,
        1,
        record("jira:1", title="The new CHECKOUT flow"),
        record("jira:2", title="Checkout core"),
        record("jira:3", title="checkout"),
        record("jira:4", title="Checkout", tombstone="trashed"),
        record("jira:5", title="Über-Prüfung"),
    )
    assert await found(store, "checkout") == ["jira:3", "jira:2", "jira:1", "jira:4"]
    assert await found(store, "checkout", limit=2) == ["jira:3", "jira:2", "jira:4"]
    assert await found(store, "ÜBER") == ["jira:5"]


async def test_of_what_has_the_very_title_nothing_is_left_out(store: Store) -> None:
    alike = [record(f"jira:{n}", title="Fix login") for n in range(12)]
    longer = [record(f"linear:{n}", title=f"Fix login {n}") for n in range(3)]
    gone = record("notion:1", title="fix LOGIN", tombstone="trashed")
    await put(store, 1, *alike, *longer, gone)
    exact = {f"jira:{n}" for n in range(12)}
    assert set(await found(store, "Fix login", limit=2)) == exact | {"notion:1"}
    assert await found(store, "x login", limit=2) == ["jira:0", "jira:1"]
    assert (await found(store, "fix login", limit=14))[-3:] == ["linear:0", "linear:1", "notion:1"]


@pytest.mark.parametrize(("stored", "typed"), [("NFD", "NFC"), ("NFC", "NFD")])
async def test_a_title_is_found_however_its_letters_are_spelled(
    store: Store, stored: Spelling, typed: Spelling
) -> None:
    title = unicodedata.normalize(stored, "Zahlungsübersicht")
    await put(store, 1, record("jira:1", title=title), record("jira:2", title=f"Die {title}"))
    for text in ("zahlungsübersicht", "ZAHLUNGSÜBERSICHT"):
        assert await found(store, unicodedata.normalize(typed, text)) == ["jira:1", "jira:2"]
    assert await found(store, "Zahlungsubersicht") == []


async def test_marks_of_patterns_are_letters_like_others(store: Store) -> None:
    await put(store, 1, record("jira:1", title="100% of a_b"), record("jira:2", title="100 axb"))
    assert await found(store, "100%") == ["jira:1"]
    assert await found(store, "a_b") == ["jira:1"]


async def test_nothing_is_found_for_nothing(store: Store) -> None:
    await put(store, 1, record("jira:1"))
    for text in ("", "  ", "no such thing", "https://elsewhere.example/x", "a:b:c"):
        assert await found(store, text) == []


async def test_living_records_are_paged_by_ref(store: Store) -> None:
    await put(store, 1, *(record(f"jira:{n}") for n in range(5)))
    await put(store, 1, record("jira:5", tombstone="trashed"))
    await put(store, 1, record("notion:1", kind=Kind.initiative))
    pages = []
    after = ""
    while page := await store.records_page(after=after, limit=4):
        pages.append([one.ref.id for one in page])
        after = str(page[-1].ref)
    assert pages == [["0", "1", "2", "3"], ["4", "1"]]
    assert len(await store.records_page(instance="jira")) == 5
    assert [one.ref.id for one in await store.records_page(kind=Kind.initiative)] == ["1"]


async def test_children_are_the_living_parts(store: Store) -> None:
    parts = [record(f"jira:{n}", parents=("jira:9", "linear:1")) for n in (1, 2)]
    await put(store, 1, *parts, record("jira:3", parents=("jira:9",), tombstone="deleted"))
    for parent in ("jira:9", "linear:1"):
        assert [one.ref.id for one in await store.children(ref(parent))] == ["1", "2"]


async def test_a_record_that_was_never_read_is_none(store: Store) -> None:
    assert await store.record(ref("jira:1")) is None


async def test_counts_say_how_much_there_is(store: Store) -> None:
    await put(store, 1, record("jira:1"), record("jira:2"), record("jira:3", tombstone="deleted"))
    await put(store, 1, record("notion:1"))
    both = [evidence("jira:1", "notion:1"), evidence("notion:1", "jira:1")]
    await store.put_links(1, [ref("jira:1"), ref("notion:1")], both)
    await store.put_desired([entry("jira:1", "x")])
    run = await store.begin_run("sync")
    await store.put_rollups(
        run, [(rollup("notion:1"), [])], at=(await store.last_runs(1))[0].started_at
    )
    aside = [SetAside("jira", "issue", "7", "no title")]
    await store.put_batch(run, "jira", "all", [], aside, advance_to=None)
    assert await store.counts() == {
        "records.jira.issue": 2,
        "records.notion.issue": 1,
        "links": 1,
        "rollups": 1,
        "slots": 1,
        "pending": 1,
        "held": 0,
        "quarantine": 1,
    }
