"""A plugin's connector: it signs in with a header of its own, and quotes its key when it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

import httpx

from opsync import (
    Batch,
    Check,
    Connector,
    ConnectorSettings,
    Diagnosable,
    Feed,
    Item,
    Kind,
    Policy,
    Readable,
    Record,
    Ref,
    Token,
    fingerprint,
    hookimpl,
)

HOST = "api.acme.example"


class AcmeSettings(ConnectorSettings):
    """Its key."""

    key: Token


class Acme(Connector[AcmeSettings], Readable, Diagnosable):
    """One feed of one project."""

    name = "acme"
    title = "Acme"
    settings_type = AcmeSettings

    @classmethod
    def policy(cls, instance: str, settings: AcmeSettings) -> Policy:
        key = settings.key.get_secret_value()
        return Policy(
            instance=instance,
            vendor=cls.title,
            base_url=f"https://{HOST}",
            headers={"X-Api-Key": key},
            credential=fingerprint(key),
        )

    async def feeds(self) -> Sequence[Feed]:
        return [Feed("all", ("project",), snapshot=True, title="projects")]

    async def pull(self, feed: Feed, since: datetime | None) -> AsyncIterator[Batch]:
        answer = await self.context.http.read("GET", "/projects")
        try:
            rows = answer.decode(dict[str, str])
        except Exception as error:
            raise RuntimeError(f"key {self.settings.key.get_secret_value()}: {error}") from error
        items = [Item("project", id_, (id_, title)) for id_, title in rows.items()]
        yield Batch(items, expected=len(items))

    def normalize(self, stream: str, raw: Any) -> Iterable[Record]:
        id_, title = raw
        if title == "unreadable":
            raise ValueError(f"not with {self.settings.key.get_secret_value()}")
        yield Record(ref=Ref(self.context.instance, stream, id_), kind=Kind.project, title=title)

    async def doctor(self) -> AsyncIterator[Check]:
        await self.context.http.read("GET", "/projects")
        yield Check("Sign-in", "ok", "Signed in.")
        raise RuntimeError(f"key {self.settings.key.get_secret_value()}")


@hookimpl
def register_connectors() -> list[type[Connector[Any]]]:
    return [Acme]


def answer(title: str) -> httpx.Response:
    """What the tool answers: two projects, the second of which is called so."""
    return httpx.Response(200, json={"1": "Apollo", "2": title})
