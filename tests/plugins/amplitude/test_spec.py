"""What the connector asks for is what a description of Amplitude's API has, where it is at hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from opsync.model import Counts
from opsync.sandbox.amplitude import AmplitudeProject
from opsync.sandbox.validate_amplitude import validate_amplitude
from tests.plugins.amplitude.conftest import (
    TWO_MONTHS,
    Connect,
    apply,
    change,
    chart,
    event,
    flag,
    measured,
    midnight,
    product,
)
from tests.plugins.amplitude.test_releases import value_of
from tests.support.clock import FakeClock


async def test_every_request_and_answer_fits_the_description(
    project: AmplitudeProject, clock: FakeClock, connect: Connect, specs_dir: Path
) -> None:
    project.add_annotation("Launch party", midnight(date(2026, 2, 1)))
    project.add_chart("abc123", "Checkouts", {"All": ("event", "Checkout", "uniques")})
    connector = connect(project, management_key="amplitude_sandbox_management")

    for feed in await connector.feeds():
        assert [batch async for batch in connector.pull(feed, None)]
    metrics = [
        event("Checkout"),
        event("Payout"),
        event("Chekout"),
        event("Refund", Counts.events),
        flag("dark-mode"),
        flag("nothing"),
        chart("abc123"),
        chart("nothere"),
    ]
    await measured(connector, *metrics)
    clock.advance(300)
    await measured(connector, *metrics, days=TWO_MONTHS)
    before = value_of(connector)
    await connector.observe(product())
    (made,) = await apply(connector, change(before))
    after = value_of(connector, on=date(2026, 2, 9), title="Payouts")
    id_ = made.remote_id
    await apply(connector, change(after, before=before, remote_id=id_))
    await connector.observe(product())
    await apply(connector, change(None, before=after, remote_id=id_))
    await apply(connector, change(None, before=after, remote_id=id_))
    assert [check async for check in connector.doctor()]
    assert [grant async for grant in connector.grants()]

    report = validate_amplitude(project.exchanges, specs_dir / "amplitude-openapi-handwritten.yaml")
    assert report.problems == []
    assert report.requests >= 20
    assert report.answers >= 10
