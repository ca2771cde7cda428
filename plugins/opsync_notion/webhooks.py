"""Notion's change signals (developers.notion.com/reference/webhooks).

A person sets them up in Notion; the secret is the token with which Notion itself says hello. Events
come unordered and name pages, not values. There is no time in them to compare: one that is repeated
is known by its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from opsync import (
    Delivery,
    RecordError,
    Ref,
    Signal,
    SignatureError,
    check_signature,
    delivery_id,
    header,
    read_body,
)
from opsync_notion.ids import parse_id
from opsync_notion.pull import STREAM
from opsync_notion.tables import Tables

SIGNATURE = "X-Notion-Signature"
PREFIX = "sha256="
LONGEST_TOKEN = 200

_PAGES = frozenset(
    f"page.{what}" for what in ("created", "properties_updated", "moved", "deleted", "undeleted")
)
_BODIES = "page.content_updated"
_SOURCES = frozenset(
    f"{kind}.{what}"
    for kind in ("data_source", "database")
    for what in ("schema_updated", "moved", "deleted", "undeleted")
)
_ROWS_PARENTS = frozenset({"database", "data_source"})


class _Author(Struct):
    id: str = ""
    type: str = ""


class _Parent(Struct):
    id: str = ""
    type: str = ""
    data_source_id: str | None = None


class _Data(Struct):
    parent: _Parent | None = None


class _Entity(Struct):
    id: str = ""


class _Event(Struct):
    type: str = ""
    entity: _Entity | None = None
    authors: list[_Author] | None = None
    data: _Data | None = None


class _Named(Struct):
    id: object = None


class _Hello(Struct):
    verification_token: str | None = None


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
    """The delivery, if it is signed, by the id of its event."""
    check_signature(header(headers, SIGNATURE), body, secrets, prefix=PREFIX)
    try:
        given = read_body(body, _Named).id
    except RecordError:
        given = None
    return Delivery(delivery_id(given, body))


def handshake(headers: Mapping[str, str], body: bytes) -> str | None:
    """The token with which Notion says hello; None for anything else, and for a hello that is
    signed by something else than its own token."""
    try:
        token = read_body(body, _Hello).verification_token
    except RecordError:
        return None
    if not token or len(token) > LONGEST_TOKEN or not (token.isascii() and token.isprintable()):
        return None
    signature = header(headers, SIGNATURE)
    if signature:
        try:
            check_signature(signature, body, [token.encode()], prefix=PREFIX)
        except SignatureError:
            return None
    return token


def affected(tables: Tables, instance: str, body: bytes) -> Signal:
    """The page that an event is about; a whole data source's event names no page.

    Left out: what opsync's own connection did, bodies unless they are read, and pages elsewhere.
    One that was moved may have been ours before.
    """
    event = read_body(body, _Event)
    pages = _PAGES | ({_BODIES} if tables.settings.read_body else set())
    if event.type not in pages | _SOURCES or _is_own(tables, event.authors or []):
        return Signal()
    entity = parse_id(event.entity.id) if event.entity is not None else ""
    if not entity:
        raise RecordError(f"Notion's change signal {event.type} names nothing by its id.")
    if event.type in _SOURCES:
        return Signal(whole=_is_read(tables, entity))
    parent = event.data.parent if event.data is not None else None
    if event.type != "page.moved" and parent is not None and not _holds_rows(tables, parent):
        return Signal()
    return Signal((Ref(instance, STREAM, entity),))


def _is_own(tables: Tables, authors: Sequence[_Author]) -> bool:
    """Whether all that made the event is opsync's own connection, never a person."""
    bot = parse_id(tables.memory.bot)
    return bool(bot and authors) and all(
        author.type == "bot" and parse_id(author.id) == bot for author in authors
    )


def _holds_rows(tables: Tables, parent: _Parent) -> bool:
    """Whether pages below it may be those of a data source that is read."""
    if parent.type not in _ROWS_PARENTS:
        return False
    return any(_is_read(tables, parse_id(id_)) for id_ in (parent.data_source_id or "", parent.id))


def _is_read(tables: Tables, id_: str) -> bool:
    """Whether this is a database or a data source of the settings, or one of a database whose data
    sources are not known yet."""
    blocks = [parse_id(block.id) for block in tables.settings.data_sources]
    known = [tables.memory.resolved(block) for block in blocks]
    return id_ in blocks or any(id_ in one for one in known) or (bool(id_) and not all(known))


def steps(url: str) -> list[str]:
    """What the owner of the connection clicks; opsync waits for the token meanwhile."""
    return [
        (
            "notion.so/profile/integrations → the connection opsync → Webhooks → Create a "
            "subscription, as whoever made the connection."
        ),
        f"Webhook URL: {url}",
        "Events: all of Page, and Data source schema updated.",
        "Notion sends opsync a token: paste what opsync webhooks list shows into Verify.",
    ]
