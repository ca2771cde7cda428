"""Linear's change signals (linear.app/developers/webhooks).

A delivery counts as failed unless it is answered with 200 within five seconds. It is tried again
after a minute, an hour and six hours, and then Linear may switch the webhook off until a person
switches it on again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct

from opsync import (
    Answer,
    Context,
    Delivery,
    RecordError,
    Ref,
    Registered,
    Signal,
    check_signature,
    delivery_id,
    header,
    read_body,
)
from opsync_linear.dialect import PATH, POINTS, Refusal, ask
from opsync_linear.settings import LinearSettings
from opsync_linear.wire import Data, Nodes, PageInfo

SIGNATURE = "Linear-Signature"
DELIVERY = "Linear-Delivery"
TOLERANCE = timedelta(seconds=60)
"""How old the signed time of a delivery may be, as Linear asks."""

RESOURCES = (
    "Issue",
    "Attachment",
    "Project",
    "ProjectUpdate",
    "Initiative",
    "InitiativeUpdate",
)
"""What a webhook of opsync tells of: what is read, and what stands on it."""
_OWN = {"Issue": "issue", "Project": "project", "Initiative": "initiative"}


class _Data(Struct, rename="camel"):
    id: str = ""
    issue_id: str | None = None
    original_issue_id: str | None = None
    project_id: str | None = None
    initiative_id: str | None = None


class _Kind(Struct):
    type: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Sent(Struct):
    at: float | None = msgspec.field(name="webhookTimestamp", default=None)


PAGE = 250
PLACE = "Linear → Settings → API → Webhooks"
ADMIN_HINT = (
    "Only an admin of the workspace may manage webhooks, with a key that may write: "
    "`opsync webhooks list` shows what one has to click. Without webhooks opsync reads what "
    "changed every few minutes."
)

_FIELDS = "id url label enabled allPublicTeams team { id key }"
LISTED = f"""query Webhooks($after: String) {{
  webhooks(first: {PAGE}, after: $after) {{
    nodes {{ {_FIELDS} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}"""
TEAMS = f"""query PrivateTeams($after: String) {{
  teams(first: {PAGE}, after: $after) {{
    nodes {{ id key visibility }} pageInfo {{ hasNextPage endCursor }}
  }}
}}"""
CREATE = f"""mutation CreateWebhook($input: WebhookCreateInput!) {{
  webhookCreate(input: $input) {{ success webhook {{ {_FIELDS} }} }}
}}"""
UPDATE = f"""mutation UpdateWebhook($id: String!, $input: WebhookUpdateInput!) {{
  webhookUpdate(id: $id, input: $input) {{ success webhook {{ {_FIELDS} }} }}
}}"""
DELETE = """mutation DeleteWebhook($id: String!) { webhookDelete(id: $id) { success } }"""
DOCUMENTS = {
    "webhooks": LISTED,
    "private teams": TEAMS,
    "create webhook": CREATE,
    "update webhook": UPDATE,
    "delete webhook": DELETE,
}
COSTS = {LISTED: 677, TEAMS: 327, CREATE: 4, UPDATE: 4, DELETE: 2}
"""Linear's points, by the formula of `queries`."""


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
    """The delivery, if it is signed, with the time that its body says."""
    check_signature(header(headers, SIGNATURE), body, secrets)
    return Delivery(delivery_id(header(headers, DELIVERY), body), _sent_at(body))


def _sent_at(body: bytes) -> datetime | None:
    """When it was sent; None where the body does not say, or says what is no time."""
    try:
        at = read_body(body, _Sent).at
        return None if at is None else datetime.fromtimestamp(at / 1000, UTC)
    except (RecordError, ValueError, OverflowError, OSError):
        return None


def affected(instance: str, body: bytes) -> Signal:
    """What changed, or that on which it stands: a project for its update, an issue for its
    attachment."""
    event = read_body(body, _Kind)
    if event.type not in RESOURCES:
        return Signal()
    data = read_body(event.data, _Data)
    named: list[tuple[str, str | None]] = []
    if event.type in _OWN:
        named = [(_OWN[event.type], data.id)]
    elif event.type == "Attachment":
        named = [("issue", data.issue_id), ("issue", data.original_issue_id)]
    elif event.type == "ProjectUpdate":
        named = [("project", data.project_id)]
    else:
        named = [("initiative", data.initiative_id)]
    refs = dict.fromkeys(Ref(instance, stream, id_) for stream, id_ in named if id_)
    if not refs:
        raise RecordError(f"Linear's change signal of {event.type} names nothing.")
    return Signal(tuple(refs))


class _Team(Struct, frozen=True):
    id: str
    key: str
    visibility: str = "public"


class _Hook(Struct, frozen=True, rename="camel"):
    id: str
    url: str | None = None
    label: str | None = None
    enabled: bool = True
    all_public_teams: bool = False
    team: _Team | None = None


class _Hooks(Struct, frozen=True):
    webhooks: Nodes[_Hook]


class _Teams(Struct, frozen=True):
    teams: Nodes[_Team]


class Webhooks:
    """The webhooks of one workspace: one for all public teams, and one for each private team."""

    def __init__(self, settings: LinearSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._mark = f"opsync: {context.instance}"

    async def all(self) -> list[Registered]:
        """All of them, whoever made them."""
        return [self._shown(hook) for hook in await self._listed()]

    async def register(self, url: str, secret: str) -> list[Registered]:
        """Make what is missing, change what opsync made before, and take away what is over."""
        own = [hook for hook in await self._listed() if hook.label == self._mark]
        left = {(hook.team.id if hook.team else ""): hook for hook in own}
        changed = {"url": url, "secret": secret, "enabled": True, "resourceTypes": RESOURCES}
        for team in ["", *(team.id for team in await self._private_teams())]:
            if (hook := left.pop(team, None)) is not None:
                own.remove(hook)
                await self._write(UPDATE, {"id": hook.id, "input": changed})
                continue
            covers = {"teamId": team} if team else {"allPublicTeams": True}
            made = {**changed, **covers, "label": self._mark}
            await self._write(CREATE, {"input": made}, keyed=False)
        for hook in own:
            await self.remove(hook.id)
        return [one for one in await self.all() if one.url == url]

    async def remove(self, id_: str) -> None:
        """Delete one by its id."""
        try:
            await self._write(DELETE, {"id": id_})
        except Refusal as refusal:
            if not refusal.missing:
                raise

    async def _listed(self) -> list[_Hook]:
        found: list[_Hook] = []
        async for page in self._pages(LISTED):
            nodes = page.decode(Data[_Hooks]).data.webhooks
            found += nodes.nodes
        return found

    async def _private_teams(self) -> list[_Team]:
        """The private teams that are read: a webhook for all public ones tells nothing of them."""
        found: list[_Team] = []
        async for page in self._pages(TEAMS):
            found += page.decode(Data[_Teams]).data.teams.nodes
        wanted = self._settings.teams
        return [
            team
            for team in found
            if team.visibility == "private" and (not wanted or team.key in wanted)
        ]

    async def _pages(self, query: str) -> AsyncIterator[Answer]:
        after: str | None = None
        while True:
            try:
                answer = await ask(self._context, query, {"after": after}, cost=COSTS[query])
            except Refusal as refusal:
                raise _hinted(refusal) from refusal
            yield answer
            info = answer.decode(Data[dict[str, _Page]]).data.popitem()[1].page_info
            if not info.has_next_page or info.end_cursor in (None, after):
                return
            after = info.end_cursor

    async def _write(
        self, query: str, variables: Mapping[str, object], *, keyed: bool = True
    ) -> None:
        body = {"query": query, "variables": variables}
        try:
            await self._context.http.write(
                "POST", PATH, json=body, lane=POINTS, cost=COSTS[query], keyed=keyed
            )
        except Refusal as refusal:
            if refusal.missing:
                raise
            raise _hinted(refusal) from refusal

    def _shown(self, hook: _Hook) -> Registered:
        covers = "all public teams" if hook.all_public_teams else ""
        if hook.team is not None:
            covers = f"team {hook.team.key}"
        own = hook.label == self._mark
        return Registered(hook.id, hook.url or "", hook.enabled, covers=covers, own=own)


class _Page(Struct, frozen=True, rename="camel"):
    page_info: PageInfo


def _hinted(refusal: Refusal) -> Refusal:
    hint = f"{refusal.hint} {ADMIN_HINT}".strip()
    return Refusal(
        refusal.message, hint=hint, status=refusal.status, kind=refusal.kind, path=refusal.path
    )


def steps(url: str, variable: str) -> list[str]:
    """What an admin clicks."""
    return [
        f"{PLACE} → New webhook, as an admin of the workspace.",
        f"URL: {url}",
        (
            f"Data change events: {', '.join(RESOURCES)}. Team: all public teams; for each private "
            "team one more."
        ),
        f"Signing secret: copy it, and give it to opsync as {variable}.",
    ]
