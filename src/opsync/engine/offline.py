"""Planning from the store as it is: no tool is asked, nothing is kept, no lock is taken."""

from __future__ import annotations

from datetime import datetime

from opsync.config import Config
from opsync.current import Pass
from opsync.engine.lookup import Lookup
from opsync.engine.session import Session, open_instance
from opsync.engine.veil import Veil
from opsync.http import Pool
from opsync.model import Ref
from opsync.report import InstanceReport, PassReport
from opsync.runtime import Runtime
from opsync.steps.limiting import within_limits
from opsync.steps.writing import plan_changed
from opsync.store import Untouched


class _LookedAt(Untouched):
    """A store that planning cannot change, and of which all that waits is planned."""

    async def targets_pending(
        self, now: datetime, *, modes: str = "", every: bool = False
    ) -> list[Ref]:
        """What is held and what waits for its next try is looked at too."""
        return await super().targets_pending(now, every=True)


async def offline_plan(
    config: Config, command: str, *, runtime: Runtime | None = None
) -> PassReport:
    """What the next pass would write if nothing else changed until then.

    The report's run is the one that would be next; its instances were not read, and one whose
    last read failed is shown so. Raises StoreError when there is no store.
    """
    runtime = runtime or Runtime()
    store = _LookedAt.open(config.store, clock=runtime.clock, create=False)
    pool = Pool(runtime)
    try:
        session = Session(config, store, runtime, pool)
        instances = {
            name: await open_instance(instance, session)
            for name, instance in config.instances.items()
        }
        last = await store.last_runs(1)
        run = last[0].seq + 1 if last else 1
        report = PassReport(run=run, command=command, applied_mode=False)
        failing = {c.instance: c for c in await store.cursors() if c.failed_since is not None}
        for name, opened in instances.items():
            one = InstanceReport(name, opened.connector.title, pulled=False)
            if name in failing:
                one.trouble, one.message = "incomplete", failing[name].error
            report.instances.append(one)
        this = Pass(
            config=config,
            store=store,
            clock=runtime.clock,
            instances=instances,
            run=run,
            report=report,
            write=False,
        )
        await within_limits(this, await plan_changed(this))
        counts = await store.counts()
        report.links, report.rollups = counts["links"], counts["rollups"]
        return await Veil(Lookup(config, store)).report(report)
    finally:
        await pool.aclose()
        await store.close()
