"""What the connector asks for is what Mixpanel's own specifications describe."""

from __future__ import annotations

from pathlib import Path

from tests.plugins.mixpanel.test_annotations import moved
from tests.plugins.mixpanel.world import (
    World,
    change,
    desired,
    event,
    flag,
    measured,
    report,
    seen,
    shipped,
    write,
)
from tests.support.connector import pull

from opsync import Counts
from opsync.sandbox.mixpanel import Series
from opsync.sandbox.validate_mixpanel import validate_mixpanel


async def test_every_request_and_answer_fits_the_specifications(
    world: World, specs_dir: Path
) -> None:
    made = world.project.add_report("Payments", {"Paid": Series("event", "Checkout")})
    mixpanel = world.connect(workspace=75)

    await pull(mixpanel)
    await measured(
        mixpanel,
        [
            event("Checkout"),
            event("Check-out"),
            event("Checkout", Counts.events),
            flag("sso"),
            flag("sso", Counts.events),
            report(str(made.id)),
        ],
    )
    value = desired(mixpanel, shipped())
    (outcome,) = await write(mixpanel, change(value))
    other = desired(mixpanel, shipped(title="Payouts at once"))
    await write(mixpanel, change(other, before=value, remote_id=outcome.remote_id))
    await write(mixpanel, moved(mixpanel, other, outcome.remote_id))
    (last,) = await seen(mixpanel)
    await write(mixpanel, change(None, before=last.plain(), remote_id=last.remote_id))
    checks = [check async for check in mixpanel.doctor()]

    found = validate_mixpanel(world.project.exchanges, specs_dir)
    assert found.problems == []
    assert found.skipped == {}
    assert found.requests == found.answers == len(world.project.exchanges) >= 18
    assert len(checks) == 6
