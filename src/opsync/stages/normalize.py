"""Normalize: a connector's raw object becomes records that name others by alias. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from opsync.contract.connector import Item, Readable
from opsync.contract.hookspecs import LinkRule
from opsync.errors import RecordError
from opsync.inert import inert_text, safe_url
from opsync.mirrors import Mirrors
from opsync.model import Mention, Record, Text, seen_hash
from opsync.model.link import FOOTER
from opsync.names import KEY, URL, addresses
from opsync.teams import TeamHere, apply_team

Recognizer = Callable[[str], str | None]

ELSEWHERE = "?"
"""The instance of a mention whose URL is a work item's, in a system that is not configured."""

_WORK_URL = re.compile(
    r"https?://[^/]+(?:/jira)?/browse/[A-Za-z][A-Za-z0-9_]+-\d+|https?://linear\.app/[^/]+/"
    r"(?:issue|project|initiative)/",
    re.IGNORECASE,
)
_TEXT_KEPT = 200
_encode = msgspec.json.Encoder(order="deterministic").encode


class Normalized(NamedTuple):
    """A record ready to be stored, with the digests that tell whether it changed.

    `hash` is over what people made of it; neither what opsync owns there nor the vendor's time of
    the last edit is in it, so that a write of ours re-reads as an unchanged record. `seen_hash`
    is over what stands at the places opsync may write.
    """

    record: Record
    hash: str
    seen_hash: str


class Aside(NamedTuple):
    """A raw object that could not be read, and why."""

    stream: str
    id: str
    reason: str


class Known(NamedTuple):
    """By what the records of one instance are understood.

    `recognizers` maps each configured instance to its `recognize`, `mirrors` finds what footers
    name, `teams` are those of the instance that is read.
    """

    recognizers: Mapping[str, Recognizer] = {}
    rules: Sequence[LinkRule] = ()
    mirrors: Mirrors = Mirrors()
    teams: Sequence[TeamHere] = ()


_NOTHING = Known()


def normalize(
    connector: Readable,
    items: Sequence[Item],
    known: Known = _NOTHING,
    owned: AbstractSet[str] = frozenset(),
) -> tuple[list[Normalized], list[Aside]]:
    """Turn one batch into records and into those to set aside.

    `owned` are the remote ids of what opsync wrote onto these objects: that is never evidence. A
    raw object that raises is set aside by itself.
    """
    records: list[Normalized] = []
    aside: list[Aside] = []
    for item in items:
        if isinstance(item.raw, RecordError):
            aside.append(Aside(item.stream, item.id, str(item.raw)))
            continue
        try:
            found = [
                _finish(apply_team(record, known.teams), known, owned)
                for record in connector.normalize(item.stream, item.raw)
            ]
        except Exception as error:  # noqa: BLE001 - a connector's fault must cost this record only
            aside.append(Aside(item.stream, item.id, _why(error)))
        else:
            records.extend(found)
    return records, aside


def by_itself(record: Record) -> Normalized:
    """A record that is known by its address alone, and names nothing, ready to be stored."""
    return _finish(record, _NOTHING, frozenset())


def _finish(record: Record, known: Known, owned: AbstractSet[str]) -> Normalized:
    mentions = record.mentions
    if record.texts:
        texts = _without_footers(record, owned, known.mirrors)
        mentions = (*mentions, *_mentions(record, texts, known.recognizers))
    for rule in known.rules:
        mentions = (*mentions, *(Mention(alias=alias, field="rule") for alias in rule(record)))
    title = record.title if record.title.isprintable() else inert_text(record.title)
    url = safe_url(record.url)
    if mentions is not record.mentions or title != record.title or url != record.url:
        record = msgspec.structs.replace(record, mentions=mentions, texts=(), title=title, url=url)
    return Normalized(
        record, _content_hash(record), seen_hash(record.seen, complete=record.seen_complete)
    )


def _without_footers(record: Record, owned: AbstractSet[str], mirrors: Mirrors) -> Iterable[Text]:
    """The texts that people wrote, and what footers name as a text of its own each."""
    for text in record.texts:
        if text.remote_id and text.remote_id in owned:
            continue
        prose = not (text.property or text.part) and text.text != record.title
        footers = mirrors.split(text.text) if prose else None
        if footers is None:
            yield text
            continue
        yield Text(text.field, footers.rest)
        for item in footers.items:
            yield Text(FOOTER, item, part="mirror")


def _mentions(
    record: Record, texts: Iterable[Text], recognizers: Mapping[str, Recognizer]
) -> Iterable[Mention]:
    own = {record.key, record.ref.id, *record.aliases}
    found: dict[tuple[str, str, str], Mention] = {}
    for text in texts:
        rest = text.text
        if "://" in rest:
            told = text.property or text.part == "mirror"
            for url in addresses(text.text):
                for instance, alias in _recognized(url, recognizers, told):
                    if not (instance == record.ref.instance and alias in own):
                        found.setdefault(
                            (alias, instance, text.field),
                            Mention(
                                alias,
                                instance,
                                text.field,
                                text.property,
                                url[:_TEXT_KEPT],
                                text.part,
                            ),
                        )
            rest = URL.sub(" ", rest)
        for match in KEY.finditer(rest):
            key = match.group()
            if key not in own:
                found.setdefault(
                    (key, "", text.field),
                    Mention(key, "", text.field, text.property, key, text.part),
                )
    return found.values()


def _recognized(
    url: str, recognizers: Mapping[str, Recognizer], told: bool
) -> Iterable[tuple[str, str]]:
    """The instances whose item an address leads to. `told`: a work item's in a system that is not
    configured is one too, of `ELSEWHERE`."""
    hits = [
        (instance, alias)
        for instance, recognize in recognizers.items()
        if (alias := recognize(url)) is not None
    ]
    if not hits and told and _WORK_URL.match(url):
        return [(ELSEWHERE, url[:_TEXT_KEPT])]
    return hits


def _content_hash(record: Record) -> str:
    content = (
        record.kind,
        record.title,
        record.key,
        record.url,
        record.status,
        record.parents,
        record.owner,
        record.priority,
        record.estimate,
        record.estimate_unit,
        record.estimates,
        record.labels,
        record.created_at,
        record.started_at,
        record.completed_at,
        record.due_on,
        record.space,
        record.space_key,
        record.team,
        record.blocked,
        record.hindrances,
        record.subtask,
        record.detail,
        record.paused,
        record.private,
        record.archived,
        record.tombstone,
        record.aliases,
        record.mentions,
        record.extra,
    )
    return blake2b(_encode(content), digest_size=16).hexdigest()


def _why(error: Exception) -> str:
    text = str(error) if isinstance(error, RecordError) else f"{type(error).__name__}: {error}"
    return inert_text(text, 300)
