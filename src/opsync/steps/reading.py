"""Pull ► normalize ► store, for all instances at once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

from opsync.contract.connector import Readable
from opsync.current import Pass
from opsync.mirrors import Mirrors
from opsync.report import InstanceReport
from opsync.stages.normalize import Known
from opsync.stages.pull import is_core_key, is_half_read, pull, pull_named
from opsync.stages.pulling import PullContext
from opsync.steps.setaside import try_again
from opsync.steps.shared import ASIDE, DERIVED_AS, OWN, aside_digest, at_once, keep_all
from opsync.steps.teaming import check_teams
from opsync.store import METRICS
from opsync.teams import teams_in


async def pull_all(this: Pass) -> None:
    """Pull ► normalize ► store: every instance by itself, all at once; then what they name of each
    other, where it is read for that alone."""
    contexts: dict[str, PullContext] = {}
    tasks: list[Coroutine[Any, Any, None]] = []
    later: list[Callable[[], Coroutine[Any, Any, None]]] = []
    this.report.instances.extend(unread(this))
    for report in this.report.instances:
        name, connector = report.instance, this.instances[report.instance].connector
        left_out = bool(this.only) and name not in this.only
        if not isinstance(connector, Readable) or left_out:
            continue
        report.pulled, report.read_at = True, this.clock.now()
        context = contexts[name] = context_of(this, name)
        tasks.append(pull(connector, report, context))
        later.append(partial(pull_named, connector, report, context))
    await at_once(tasks)
    await at_once(read() for read in later)
    await try_again(this, contexts)
    await keep_all(this)


def unread(this: Pass) -> list[InstanceReport]:
    """A report on each instance, of which nothing was read yet."""
    return [
        InstanceReport(name, opened.connector.title, pulled=False)
        for name, opened in this.instances.items()
    ]


def context_of(this: Pass, name: str) -> PullContext:
    """What reading an instance works with."""
    opened, settings = this.instances[name], this.config.instances[name].settings
    recognizers = {
        each: other.connector.recognize
        for each, other in this.instances.items()
        if isinstance(other.connector, Readable)
    }
    mirrors = Mirrors(this.config.twins.footers)
    teams = teams_in(name, this.config.teams, settings.statuses)
    return PullContext(
        store=this.store,
        clock=this.clock,
        run=this.run,
        overlap_s=opened.overlap_s,
        fingerprint=opened.fingerprint,
        known=Known(recognizers, this.config.plugins.link_rules, mirrors, teams),
        naming=this.reads_as.get(name, ""),
        full=this.full,
        progress=this.progress,
        clean=opened.clean,
        watch=opened.watch,
        census_every=timedelta(hours=settings.census_every_h),
        allowed=(this.limits or this.config.limits).vanished,
        requests=partial(getattr, opened.client, "reads"),
    )


async def look_around(this: Pass) -> None:
    """Whose numbers can be relied on besides what was just read, whether more must be looked at
    than what changed, and whether the configuration's teams are in what was read."""
    await _keep_earlier_trouble(this)
    await _look_again(this)
    await check_teams(this)


async def _keep_earlier_trouble(this: Pass) -> None:
    """An instance that was not pulled now is as readable as it was last time."""
    cursors = await this.store.cursors()
    # Where a feed fails as well, that is told, and not that nothing can be measured.
    cursors.sort(key=lambda one: not is_core_key(one.feed))
    failing = {c.instance: c for c in cursors if c.failed_since is not None}
    completed = {c.instance for c in cursors if c.completed_at and not is_core_key(c.feed)}
    for report in this.report.instances:
        readable = isinstance(this.instances[report.instance].connector, Readable)
        if readable and report.instance not in completed and not report.complete:
            this.never_read.add(report.instance)
        if report.pulled:
            continue
        if report.instance in failing:
            report.trouble = "incomplete"
            report.message = failing[report.instance].error
            report.unmeasured = failing[report.instance].feed == METRICS
        elif readable and await is_half_read(this.store, report.instance):
            this.half_read.add(report.instance)


async def _look_again(this: Pass) -> None:
    """Find out whether more must be looked at than what changed: the configuration did, or what
    is set aside."""
    kept = await this.store.kept(OWN)
    this.again = kept.get(DERIVED_AS, "") != this.derives_as
    this.recount = this.again or kept.get(ASIDE, "") != await aside_digest(this.store)
