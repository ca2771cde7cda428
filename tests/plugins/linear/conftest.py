"""A simulated Linear workspace, and connections to it on virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import httpx
import pytest

from opsync.model import (
    Card,
    Category,
    Change,
    Health,
    Kind,
    LinkContent,
    Outcome,
    Record,
    Ref,
    Rollup,
    RollupContent,
    Slot,
    Value,
    Verb,
)
from opsync.sandbox.linear import LinearWorkspace
from opsync_linear import Linear
from opsync_linear.settings import LinearSettings
from tests.support.clock import FakeClock
from tests.support.connector import Connections

Connect = Callable[..., Linear]

JIRA = Ref("jira-main", "issue", "10118")
PAGE = Ref("notion", "page", "9b1c")


def settings(**changes: Any) -> LinearSettings:
    """Settings of the instance "linear" that the simulated workspace accepts."""
    fitting: dict[str, Any] = {"connector": "linear", "token": "lin_api_sandbox"}
    return LinearSettings(**(fitting | changes))


@pytest.fixture
def workspace(clock: FakeClock) -> LinearWorkspace:
    """Two teams, Growth and the private Security, without work."""
    made = LinearWorkspace(now=clock.now, limit_factor=10)
    made.add_team("GRO", "Growth")
    made.add_team("SEC", "Security", private=True)
    return made


@pytest.fixture
def connect(connections: Connections) -> Connect:
    """Makes a connector of a simulated workspace; keyword arguments change its settings."""

    def make(
        api: LinearWorkspace | None = None,
        *,
        kept: dict[str, Value] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        **changes: Any,
    ) -> Linear:
        if api is not None:
            transport = httpx.ASGITransport(api.app)
        return connections.connect(Linear, "linear", settings(**changes), transport, kept)

    return make


def link_content(category: Category = Category.in_progress, url: str = "") -> LinkContent:
    """A link to PAY-118 in Jira."""
    return LinkContent(
        card=Card(
            ref=JIRA,
            kind=Kind.issue,
            label="PAY-118 Tokenise cards",
            url=url or "https://harbor.atlassian.net/browse/PAY-118",
            tool="Jira",
            key="PAY-118",
            title="Tokenise cards",
            category=category,
        ),
        title="PAY-118 Tokenise cards",
        subtitle=f"Jira · {category.replace('_', ' ')}",
        resolved=False,
        category_name="In progress",
    )


def rollup_content(
    short: str = "12/20 · at risk",
    *,
    title: str = "Roadmap: One-tap checkout",
    health: Health = Health.at_risk,
    url: str = "https://www.notion.so/9b1c",
) -> RollupContent:
    """The rollup of One-tap checkout."""
    return RollupContent(
        root=Card(ref=PAGE, kind=Kind.initiative, label="One-tap checkout", url=url, tool="Notion"),
        rollup=Rollup(rule="roadmap", root=PAGE, counts={}, done=12, total=20),
        title=title,
        delivery="12 of 20 done",
        summary=short,
        short=short,
        percent=0.6,
        health=health,
        health_name=health.value,
        work=(),
        changed_on=date(2026, 3, 2),
        at_root=False,
        label=f"{title} · {short}",
    )


def change(
    target: Record,
    surface: str,
    desired: Value,
    *,
    before: Value = None,
    remote_id: str = "",
    other: Ref = JIRA,
    id_: str = "",
) -> Change:
    """A change of one slot of `target`; its verb follows from the values."""
    verb = Verb.remove if desired is None else Verb.create if before is None else Verb.update
    return Change(
        id=id_ or f"{surface}-{target.ref.id}-{other.id}",
        slot=Slot(target.ref, surface, "links" if surface == "link" else "roadmap", other),
        verb=verb,
        desired=desired,
        before=before,
        remote_id=remote_id,
    )


async def apply(linear: Linear, changes: Iterable[Change]) -> dict[str, Outcome]:
    """Write the changes in one call; outcomes by change, exactly one each."""
    listed = list(changes)
    outcomes = [outcome async for outcome in linear.apply(listed, {})]
    assert sorted(o.change for o in outcomes) == sorted(c.id for c in listed)
    return {outcome.change: outcome for outcome in outcomes}
