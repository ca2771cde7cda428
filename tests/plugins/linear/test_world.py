"""A whole company is read and written, and every request and answer fits the vendor's schema."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from opsync.model import OutcomeKind, Record
from opsync.sandbox.harbor import build_harbor
from opsync.sandbox.linear import LinearWorkspace
from opsync.sandbox.validate import validate_linear
from tests.plugins.linear.conftest import PAGE, Connect, apply, change, link_content, rollup_content
from tests.support.clock import FakeClock
from tests.support.connector import pull, read


def _of_kind(records: dict[str, Record], kind: str) -> list[Record]:
    return [record for record in records.values() if record.kind == kind]


@pytest.mark.slow
async def test_every_exchange_fits_the_vendors_schema(
    connect: Connect, clock: FakeClock, specs_dir: Path
) -> None:
    workspace: LinearWorkspace = build_harbor(now=clock.now).linear
    linear = connect(workspace, token=workspace.token)
    records = await read(linear)
    issues, projects = _of_kind(records, "issue"), _of_kind(records, "project")

    link = linear.render("link", issues[0], link_content())
    rollup = linear.render("rollup", projects[0], rollup_content())
    outcomes = await apply(
        linear,
        [
            *(change(each, "link", link) for each in issues[:25]),
            *(change(each, "rollup", rollup, other=PAGE) for each in projects),
        ],
    )
    await pull(linear, clock.now() - timedelta(minutes=5))
    await linear.observe(issues[0])
    await linear.observe(projects[0])
    assert [check async for check in linear.doctor()]

    assert {outcome.kind for outcome in outcomes.values()} == {OutcomeKind.created}
    report = validate_linear(workspace.exchanges, specs_dir / "linear-schema.graphql")
    assert report.problems == []
    assert report.requests == len(workspace.exchanges) >= 6
