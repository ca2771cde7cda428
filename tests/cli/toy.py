"""A connector without a network: its vendor is a JSON file that a test edits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
from pydantic import SecretStr

from opsync import (
    Batch,
    Category,
    Change,
    Check,
    Connector,
    ConnectorSettings,
    Diagnosable,
    Feed,
    Item,
    Kind,
    LinkContent,
    Outcome,
    OutcomeKind,
    PageBlock,
    Person,
    Readable,
    Record,
    RecordError,
    Ref,
    RollupContent,
    Seen,
    SignInError,
    Status,
    Surface,
    TemporaryError,
    Text,
    Value,
    Writable,
    WritesPages,
    hookimpl,
)

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOST = "https://toy.example"


class ToySettings(ConnectorSettings):
    """Where the file is."""

    file: Path
    token: SecretStr = SecretStr("not-a-real-secret")
    tool: str = ""


class Toy(Connector[ToySettings], Readable, Writable, WritesPages, Diagnosable):
    """Reads `items` of its file and writes to `written`; `fail` makes it fail."""

    name = "toy"
    title = "Toy"
    tells_who_left = True
    settings_type = ToySettings
    surfaces = (
        Surface(
            "delivery",
            "rollup",
            frozenset({Kind.initiative}),
            ("Delivery",),
            "Delivery",
            pulled=True,
        ),
        Surface(
            "link",
            "link",
            frozenset({Kind.issue, Kind.epic}),
            ("Links",),
            "Link",
            pulled=True,
        ),
    )

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.settings.file.read_bytes())
        return found

    async def feeds(self) -> Sequence[Feed]:
        return [Feed("all", ("item",), title="the list")]

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        state = self.state()
        match state.get("fail"):
            case "sign-in":
                raise SignInError("Toy refused the token.", hint="Make a new one: Toy → Keys.")
            case "down":
                raise TemporaryError("Toy answered 503.", hint="It is down.")
            case "bug":
                raise ZeroDivisionError("in the plugin")
        items = [
            Item("item", one["id"], {**one, "written": state.get("written", {}).get(one["id"], {})})
            for one in state["items"]
        ]
        yield Batch(items, high=AT, resumable=True, expected=state.get("announces", len(items)))

    def normalize(self, stream: str, raw: object) -> Iterable[Record]:
        assert isinstance(raw, dict)
        if raw.get("broken"):
            raise RecordError("its title is a number")
        category = Category(raw.get("category", "todo"))
        instance = self.context.instance
        text = raw.get("names", "")
        body = raw.get("body", "")
        texts = [Text("Tracked in", text, property=True)] if text else []
        texts += [Text("description", body)] if body else []
        columns = raw.get("columns", {})
        texts += [Text(name, value, property=True) for name, value in columns.items()]
        yield Record(
            ref=Ref(instance, "item", raw["id"]),
            kind=Kind(raw.get("kind", "issue")),
            title=raw["title"],
            key=raw.get("key", ""),
            url=f"{HOST}/{instance}/{raw['id']}",
            status=Status(category.value, raw.get("status", category.value), category),
            parents=(Ref(instance, "item", raw["parent"]),) if raw.get("parent") else (),
            aliases=(raw["key"],) if raw.get("key") else (),
            owner=Person(**raw["owner"]) if raw.get("owner") else None,
            due_on=date.fromisoformat(raw["due"]) if raw.get("due") else None,
            blocked=raw.get("blocked", False),
            private=raw.get("private", False),
            archived=raw.get("archived", False),
            texts=tuple(texts),
            extra=columns,
            seen=tuple(_seen(raw["written"])),
            seen_complete=True,
        )

    def recognize(self, url: str) -> str | None:
        base, _, name = url.partition("?")[0].rpartition("/")
        return name if base == f"{HOST}/{self.context.instance}/browse" else None

    def render(self, surface: str, target: Record, content: LinkContent | RollupContent) -> Value:
        if isinstance(content, RollupContent):
            return content.delivery
        return {"url": content.card.url, "title": content.title, "subtitle": content.subtitle}

    def address(self, surface: str, value: Value) -> str:
        return str(value["url"]) if isinstance(value, Mapping) else ""

    async def observe(self, target: Record) -> Sequence[Seen]:
        return list(_seen(self.state().get("written", {}).get(target.ref.id, {})))

    async def apply(
        self, changes: Sequence[Change], targets: Mapping[Ref, Record]
    ) -> AsyncIterator[Outcome]:
        state = self.state()
        for change in changes:
            if state.get("fail") == "writes":
                yield Outcome(change=change.id, kind=OutcomeKind.failed, message="Toy is full")
                continue
            places = state.setdefault("written", {}).setdefault(change.slot.target.id, {})
            address = change.slot.surface
            stands = change.before if change.desired is None else change.desired
            if isinstance(stands, Mapping):
                address = f"link {stands['url']}"
            places[address] = change.desired
            if change.desired is None:
                del places[address]
            self.settings.file.write_bytes(msgspec.json.encode(state))
            kind = OutcomeKind.created if change.before is None else OutcomeKind.updated
            yield Outcome(
                change=change.id, kind=kind, applied=change.desired, remote_id=address or "1"
            )

    async def replace_page(self, page: str, part: str, blocks: Sequence[PageBlock]) -> None:
        state = self.state()
        if state.get("fail") == "writes":
            raise TemporaryError("Toy is full.")
        texts = ["".join(piece.text for piece in block.text) for block in blocks]
        state.setdefault("pages", {})[f"{page} {part}"] = texts
        self.settings.file.write_bytes(msgspec.json.encode(state))

    async def doctor(self) -> AsyncIterator[Check]:
        if self.state().get("fail") == "sign-in":
            raise SignInError("Toy refused the token.", hint="Make a new one: Toy → Keys.")
        yield Check("Sign-in", "ok", "Signed in.")
        if self.state().get("fail") == "check":
            yield Check("List", "fail", "There is no list.", "Make one: Toy → Lists.")


def _seen(written: Mapping[str, Any]) -> Iterable[Seen]:
    for address, value in written.items():
        if address in ("delivery", "adoption"):
            yield Seen.of(address, value, remote_id=address)
        else:
            yield Seen.of("link", value, address=value["url"], remote_id=address, ours=True)


@hookimpl
def register_connectors() -> list[type[Connector[Any]]]:
    return [Toy]
