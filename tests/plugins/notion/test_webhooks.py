"""Notion's change signals: a hello with the secret, then signed events that name pages."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest
from tests.plugins.notion.world import Roadmap

from opsync import RecordError, Ref, Signal, SignatureError
from opsync.sandbox.notion.webhooks import subscribe, verify
from opsync_notion import Notion

TOKEN = "secret_tM0fXo8QKbUuLwdKZV6dn2Sb6ZqFq1Jd0a"
BOT = "b0700000-0000-4000-8000-000000000001"
PERSON = "9e950000-0000-4000-8000-000000000001"
PAGE = "367cba44-0b6f-4c3e-9b54-0123456789ab"


@pytest.fixture
def notion(roadmap: Roadmap) -> Notion:
    roadmap.kept["bot"] = BOT
    return roadmap.connect()


def signed(raw: bytes, token: str = TOKEN) -> dict[str, str]:
    digest = hmac.new(token.encode(), raw, sha256).hexdigest()
    return {"X-Notion-Signature": f"sha256={digest}"}


def event(type_: str, roadmap: Roadmap | None = None, **more: Any) -> bytes:
    fitting: dict[str, Any] = {
        "id": "a6a4e0d0-0000-4000-8000-000000000001",
        "timestamp": "2026-11-22T12:00:00.000Z",
        "type": type_,
        "authors": [{"id": PERSON, "type": "person"}],
        "attempt_number": 1,
        "entity": {"id": PAGE, "type": "page"},
    }
    if roadmap is not None:
        parent = {"id": roadmap.source.id, "type": "database", "data_source_id": roadmap.source.id}
        fitting["data"] = {"parent": parent}
    return json.dumps(fitting | more).encode()


def test_a_signed_event_is_known_by_its_own_id(notion: Notion) -> None:
    raw = event("page.created")

    found = notion.verify(signed(raw), raw, [b"another", TOKEN.encode()])

    assert (found.id, found.sent_at) == ("a6a4e0d0-0000-4000-8000-000000000001", None)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[]", b'{"id": 7}', b'{"id":' + b"[" * 9**5])
def test_a_signed_body_without_an_id_is_known_by_its_bytes(notion: Notion, raw: bytes) -> None:
    found = notion.verify(signed(raw), raw, [TOKEN.encode()])

    assert found.id == f"sha256:{sha256(raw).hexdigest()}"


@pytest.mark.parametrize("form", ["{}", "sha1={}", "sha256=", "sha256={} "])
def test_another_form_of_signature_is_refused(notion: Notion, form: str) -> None:
    raw = event("page.created")
    digest = hmac.new(TOKEN.encode(), raw, sha256).hexdigest()

    with pytest.raises(SignatureError):
        notion.verify({"X-Notion-Signature": form.format(digest)}, raw, [TOKEN.encode()])


def test_the_hello_brings_the_secret(notion: Notion) -> None:
    hello = json.dumps({"verification_token": TOKEN}).encode()

    assert notion.handshake({}, hello) == TOKEN
    assert notion.handshake(signed(hello), hello) == TOKEN


def test_a_hello_that_something_else_signed_brings_none(notion: Notion) -> None:
    hello = json.dumps({"verification_token": TOKEN}).encode()

    assert notion.handshake(signed(hello, "another"), hello) is None
    assert notion.handshake(signed(hello), hello + b" ") is None


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"[]", event("page.created"), b'{"verification_token": ""}'),
        *(b'{"verification_token": 7}', json.dumps({"verification_token": "x" * 201}).encode()),
        *(b'{"verification_token": "a\\nb"}', b'{"verification_token": "\xc3\xa9"}'),
    ],
)
def test_what_is_no_hello_brings_none(notion: Notion, raw: bytes) -> None:
    assert notion.handshake({}, raw) is None


def test_the_longest_token_is_taken(notion: Notion) -> None:
    hello = json.dumps({"verification_token": "x" * 200}).encode()

    assert notion.handshake({}, hello) == "x" * 200


@pytest.mark.parametrize("what", ["created", "properties_updated", "moved", "deleted", "undeleted"])
def test_a_pages_event_names_the_page(notion: Notion, roadmap: Roadmap, what: str) -> None:
    page = Signal((Ref("notion", "page", PAGE),))

    assert notion.affected({}, event(f"page.{what}", roadmap)) == page
    bare = {"id": PAGE.replace("-", ""), "type": "page"}
    assert notion.affected({}, event(f"page.{what}", roadmap, entity=bare)) == page


def test_a_body_counts_only_where_bodies_are_read(notion: Notion, roadmap: Roadmap) -> None:
    raw = event("page.content_updated", roadmap)

    assert notion.affected({}, raw) == Signal()
    assert roadmap.connect(read_body=True).affected({}, raw).refs


@pytest.mark.parametrize(
    "type_", ["page.locked", "comment.created", "view.updated", "file_upload.completed", "new", ""]
)
def test_an_event_of_no_interest_is_an_empty_signal(notion: Notion, type_: str) -> None:
    assert notion.affected({}, event(type_)) == Signal()


def test_what_only_opsyncs_own_connection_did_is_no_news(notion: Notion, roadmap: Roadmap) -> None:
    bot, person = {"id": BOT, "type": "bot"}, {"id": PERSON, "type": "person"}
    other = {"id": PERSON, "type": "bot"}

    def of(*authors: dict[str, str]) -> Signal:
        return notion.affected({}, event("page.properties_updated", roadmap, authors=authors))

    assert of(bot) == Signal()
    assert of(bot, bot) == Signal()
    assert of(bot, person)
    assert of(other)
    assert of(bot, other)
    assert of({"id": BOT, "type": "person"})
    assert of()


def test_before_its_own_id_is_known_every_author_counts(roadmap: Roadmap) -> None:
    author = {"id": "", "type": "bot"}

    signal = roadmap.connect().affected({}, event("page.created", roadmap, authors=[author]))

    assert signal.refs


def test_pages_elsewhere_are_left_out_unless_they_were_moved(notion: Notion) -> None:
    other = {"id": PERSON, "type": "database", "data_source_id": PERSON}
    below = {"id": PAGE, "type": "page"}
    for parent in (other, below):
        raw = event("page.properties_updated", data={"parent": parent})
        notion.context.kept.pop("resolved", None)

        assert bool(notion.affected({}, raw)) is False or parent is other
        assert notion.affected({}, event("page.moved", data={"parent": parent}))


async def test_once_the_data_sources_are_known_those_of_others_are_left_out(
    notion: Notion, roadmap: Roadmap
) -> None:
    other = {"id": PERSON, "type": "database", "data_source_id": PERSON}
    raw = event("page.properties_updated", data={"parent": other})
    await notion.feeds()

    assert notion.affected({}, raw) == Signal()
    assert notion.affected({}, event("page.moved", data={"parent": other}))
    assert notion.affected({}, event("page.properties_updated", roadmap))
    assert notion.affected({}, event("page.properties_updated"))


@pytest.mark.parametrize("what", ["schema_updated", "moved", "deleted", "undeleted"])
@pytest.mark.parametrize("kind", ["data_source", "database"])
async def test_an_event_of_the_data_source_names_no_page(
    notion: Notion, roadmap: Roadmap, kind: str, what: str
) -> None:
    await notion.feeds()
    ours, other = {"id": roadmap.source.id, "type": kind}, {"id": PERSON, "type": kind}

    assert notion.affected({}, event(f"{kind}.{what}", entity=ours)) == Signal(whole=True)
    assert notion.affected({}, event(f"{kind}.{what}", entity=other)) == Signal()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        event("page.created", entity=None),
        event("page.created", entity={}),
        event("page.created", entity={"id": "../v1/users", "type": "page"}),
        event("page.created", entity={"id": 7}),
        event("page.created", authors="me"),
        event("data_source.schema_updated", entity={}),
    ],
)
def test_a_signal_that_cannot_be_read_is_set_aside(notion: Notion, raw: bytes) -> None:
    with pytest.raises(RecordError):
        notion.affected({}, raw)


async def test_what_a_signal_names_can_be_looked_up(notion: Notion, roadmap: Roadmap) -> None:
    page = roadmap.add("One-tap checkout")
    entity = {"id": page.id, "type": "page"}
    signal = notion.affected({}, event("page.created", roadmap, entity=entity))
    (feed,) = await notion.feeds()

    (found,) = await notion.look_up(feed, signal.refs, {}, listed=False)

    (record,) = notion.normalize("page", found.raw)  # type: ignore[union-attr]  # it is an Item
    assert (record.ref, record.title) == (signal.refs[0], "One-tap checkout")


URL = "https://opsync.harbor.example/hooks/notion"


def told(notion: Notion, roadmap: Roadmap) -> list[tuple[str, Signal]]:
    """What Notion delivers now, each checked by its signature."""
    hooks = roadmap.workspace.hooks
    found = []
    for post in hooks.take():
        headers, raw = hooks.dress(post)
        assert notion.verify(headers, raw, [post.hook.secret.encode()]).id == post.id
        found.append((json.loads(raw)["type"], notion.affected(headers, raw)))
    return found


def subscribed(notion: Notion, roadmap: Roadmap) -> None:
    """A person makes a subscription, and pastes the token that came with the hello."""
    subscribe(roadmap.workspace, URL)
    (hello,) = roadmap.workspace.hooks.take()
    token = notion.handshake(*roadmap.workspace.hooks.dress(hello))
    verify(roadmap.workspace, token or "")


async def test_a_subscription_is_verified_with_the_token_that_came(
    notion: Notion, roadmap: Roadmap
) -> None:
    page = roadmap.add("One-tap checkout")
    subscribe(roadmap.workspace, URL)
    (hello,) = roadmap.workspace.hooks.take()
    roadmap.workspace.edit_page(page, "Tracked in", "before it is verified")
    assert roadmap.workspace.hooks.take() == []
    with pytest.raises(ValueError, match="verification token"):
        verify(roadmap.workspace, "secret_of_another")

    token = notion.handshake(*roadmap.workspace.hooks.dress(hello))
    assert token == hello.hook.secret
    verify(roadmap.workspace, token)

    roadmap.workspace.edit_page(page, "Tracked in", "PAY-118")
    ref = Ref("notion", "page", page.id)
    assert told(notion, roadmap) == [("page.properties_updated", Signal((ref,)))]


async def test_what_people_do_is_told_and_what_opsync_wrote_is_no_news(
    notion: Notion, roadmap: Roadmap
) -> None:
    roadmap.kept["bot"] = roadmap.workspace.bot.id
    await notion.feeds()
    subscribed(notion, roadmap)
    page = roadmap.add("One-tap checkout")
    roadmap.workspace.trash(page)
    roadmap.workspace.restore(page)
    roadmap.workspace.rename_property(roadmap.source, "Due", "Due date")
    one = Signal((Ref("notion", "page", page.id),))

    assert told(notion, roadmap) == [
        ("page.created", one),
        ("page.deleted", one),
        ("page.undeleted", one),
        ("data_source.schema_updated", Signal(whole=True)),
    ]

    body = {"properties": {"Tracked in": {"rich_text": [{"text": {"content": "by opsync"}}]}}}
    await notion.context.http.write("PATCH", f"/v1/pages/{page.id}", json=body, keyed=True)
    assert told(notion, roadmap) == [("page.properties_updated", Signal())]


def test_people_are_told_what_to_click(notion: Notion) -> None:
    assert notion.says_hello
    assert URL in " ".join(notion.steps(URL))
