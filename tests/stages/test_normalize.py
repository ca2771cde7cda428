"""Raw objects become records that name others: URLs, bare keys, and what opsync wrote itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

import msgspec

from opsync.contract.connector import Batch, Feed, Item, Readable
from opsync.errors import RecordError
from opsync.mirrors import Mirrors
from opsync.model import Mention, Record, Seen, Text
from opsync.model.rules import TeamRule, TeamScope
from opsync.stages.normalize import ELSEWHERE, Known, Normalized, normalize
from opsync.teams import teams_in
from tests.support.build import at, record, ref


class Given(Readable):
    """Its raw objects are the records themselves, or an exception to raise."""

    async def feeds(self) -> Sequence[Feed]:
        return ()

    def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        raise NotImplementedError

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        if isinstance(raw, Exception):
            raise raw
        assert isinstance(raw, Record)
        return [raw]


def jira(url: str) -> str | None:
    head, found, key = url.partition("https://harbor.example/browse/")
    return key.split("?")[0] if found and not head else None


def one(made: Record, owned: AbstractSet[str] = frozenset(), **more: Any) -> Normalized:
    known = Known(recognizers={"jira": jira}, **more)
    [result], aside = normalize(Given(), [Item("issue", made.ref.id, made)], known, owned)
    assert aside == []
    return result


def mentions_in(text: str, *, property_: bool = False, id_: str = "1") -> list[tuple[str, str]]:
    made = record(id_, texts=(Text("Notes", text, property_),))
    return [(m.instance, m.alias) for m in one(made).record.mentions]


def test_urls_resolve_by_their_instance_and_bare_keys_may_be_anyones() -> None:
    text = "see (https://harbor.example/browse/PAY-100), and PAY-7."
    assert mentions_in(text) == [("jira", "PAY-100"), ("", "PAY-7")]


def test_keys_inside_urls_words_and_lower_case_are_no_keys() -> None:
    for text in (
        "https://else.example/PAY-7",
        "https://else.example/board,PAY-7",
        "pay-7",
        "XPAY-7x",
        "a/PAY-7",
        "PAY-7-old",
        "PAY-07",
        "me@PAY-7",
    ):
        assert mentions_in(text) == []


def test_a_url_of_a_system_that_is_not_configured_is_kept_where_it_makes_members() -> None:
    url = "https://other.example/browse/ABC-1"
    assert mentions_in(url, property_=True) == [(ELSEWHERE, url)]
    assert mentions_in(url) == []
    assert mentions_in("https://blog.example/post", property_=True) == []


def test_a_record_does_not_name_itself() -> None:
    assert mentions_in("K-1 again, https://harbor.example/browse/K-1", id_="1") == []


def test_a_record_is_hashed_as_its_team_means_it() -> None:
    made = record("1", space_key="MOB")
    mobile = TeamRule(name="Mobile", scope=(TeamScope("jira", ("MOB",)),))
    pay = TeamRule(name="Payments", scope=(TeamScope("jira", ("PAY",)),))
    as_mobile = one(made, teams=teams_in("jira", [pay, mobile]))
    assert as_mobile.record.team == "Mobile"
    assert as_mobile.hash != one(made).hash
    assert one(made, teams=teams_in("jira", [pay])) == one(made)


def test_what_opsync_wrote_is_never_evidence() -> None:
    texts = (
        Text("attachment", "https://harbor.example/browse/PAY-1", remote_id="a1"),
        Text("attachment", "https://harbor.example/browse/PAY-2", remote_id="a2"),
    )
    made = one(record("1", texts=texts), owned={"a1"})
    assert [m.alias for m in made.record.mentions] == ["PAY-2"]


def test_what_stands_at_our_places_and_the_time_of_the_edit_do_not_change_the_content() -> None:
    plain = one(record("1", updated_at=at(1)))
    written = one(
        record("1", updated_at=at(2), seen=(Seen.of("delivery", "12/20"),), seen_complete=True)
    )
    assert plain.hash == written.hash
    assert plain.seen_hash != written.seen_hash
    assert one(record("1", title="other")).hash != plain.hash


def test_a_record_that_cannot_be_read_is_set_aside_with_its_reason_and_the_others_go_on() -> None:
    items = [
        Item("issue", "1", record("1")),
        Item("issue", "2", RecordError("status is a number")),
        Item("issue", "3", KeyError("summary")),
        Item("issue", "4", record("4")),
    ]
    records, aside = normalize(Given(), items)
    assert [r.record.ref for r in records] == [ref("1"), ref("4")]
    assert [(a.id, a.reason) for a in aside] == [
        ("2", "status is a number"),
        ("3", "KeyError: 'summary'"),
    ]


def test_hostile_text_is_stored_inert() -> None:
    made = one(
        record("1", title="a\x00b\x1b[31m\u202etxt\nc" + "x" * 65_536, url="javascript:alert(1)")
    ).record
    assert made.title.startswith("a b [31mtxt c")
    assert len(made.title) > 65_536
    assert made.url == ""


def test_markup_in_a_title_stays_as_plain_characters() -> None:
    assert one(record("1", title="<script>alert(1)</script>")).record.title == (
        "<script>alert(1)</script>"
    )


def test_rules_of_plugins_add_names() -> None:
    made = one(record("1"), rules=[lambda _: ["PAY-9"]])
    assert made.record.mentions == (Mention("PAY-9", field="rule"),)


def test_texts_are_not_kept() -> None:
    made = one(record("1", texts=(Text("Notes", "PAY-1"),))).record
    assert made.texts == ()
    assert b"texts" not in msgspec.json.encode(made)


def test_a_mirrors_footer_is_a_mention_of_its_own_and_no_second_one() -> None:
    text = (
        "Needs PAY-7.\n\nMirrored from [PAY-100](https://harbor.example/browse/PAY-100) by Tandem"
    )
    made = record("1", texts=(Text("description", text),))
    assert [(m.alias, m.instance, m.field, m.part) for m in one(made).record.mentions] == [
        ("PAY-7", "", "description", ""),
        ("PAY-100", "jira", "footer", "mirror"),
    ]


def test_a_title_a_property_and_a_place_have_no_footers() -> None:
    words = "Synced from PAY-100"
    for text, title in (
        (Text("summary", words), words),
        (Text("Notes", words, property=True), ""),
        (Text("attachment", words, part="place"), ""),
    ):
        made = one(record("1", title=title, texts=(text,))).record
        assert [(m.alias, m.part) for m in made.mentions] == [("PAY-100", text.part)]


def test_a_footer_of_what_opsync_wrote_is_no_evidence() -> None:
    made = record("1", texts=(Text("body", "Synced from PAY-100", remote_id="own"),))
    assert one(made, owned=frozenset({"own"})).record.mentions == ()


def test_a_footer_that_leads_to_a_tool_that_is_not_configured_is_kept_to_be_told() -> None:
    url = "https://else.atlassian.net/browse/PAY-3"
    made = one(record("1", texts=(Text("description", f"Synced from {url}"),))).record
    assert made.mentions == (Mention(url, ELSEWHERE, "footer", False, url, "mirror"),)


def test_configured_footers_are_found_by_those_who_know_them() -> None:
    made = record("1", texts=(Text("description", "Origin = PAY-100"),))
    assert [m.part for m in one(made).record.mentions] == [""]
    known = Mirrors(["Origin = {item}"])
    assert [m.part for m in one(made, mirrors=known).record.mentions] == ["mirror"]
