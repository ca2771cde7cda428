"""What the connector asks for fits PostHog's own specification, where it is at hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.plugins.posthog.world import (
    Harbor,
    change,
    event,
    flag,
    insight,
    measured,
    product,
    release,
    write,
)
from tests.support.connector import pull

from opsync.sandbox.posthog import Series
from opsync.sandbox.validate_posthog import validate_posthog


async def test_every_request_and_answer_fits_the_specification(
    harbor: Harbor, specs_dir: Path
) -> None:
    saved = harbor.project.add_insight("Payouts a day", Series("a", "event", "payout sent"))
    slow = harbor.project.add_insight("Slow", Series("a", "event", "checkout"))
    slow.computing = 1
    harbor.project.add_experiment("One tap or two", harbor.project.flag("one-tap"))
    harbor.project.add_annotation("Black Friday", date(2026, 2, 20))
    posthog = harbor.connect()

    await pull(posthog)
    asked = [event("checkout"), event("nothing"), flag("one-tap"), flag("nothing")]
    await measured(posthog, [*asked, insight(saved.short_id), insight(slow.short_id)])
    (made,) = await write(posthog, change(posthog, release()))
    await posthog.observe(product())
    for content, remove in ((release(on=date(2026, 2, 12)), False), (release(), True)):
        await write(posthog, change(posthog, content, remote_id=made.remote_id, remove=remove))
    await write(posthog, change(posthog, release()))
    harbor.project.faults.missing_scopes = {"annotation:read", "annotation:write"}
    await posthog.choices()
    checks = [check async for check in posthog.doctor()]
    harbor.project.describes_keys = False
    checks += [check async for check in posthog.doctor()]

    report = validate_posthog(harbor.project.exchanges, specs_dir / "posthog-openapi-trimmed.json")
    assert report.problems == []
    assert report.requests >= 24
    assert report.answers >= 15
    assert len(checks) == 22
