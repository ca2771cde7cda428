"""One pass: pull ► normalize ► store ► link ► measure ► roll up ► plan ► limit ► apply.

A pass pulls one or more instances, links, measures, rolls up and plans over all that changed, then
applies per target instance. Its cost follows what changed: every stage after the store is fed with
the records that changed since the last pass that came to its end, and with what depends on them.
"""

from __future__ import annotations

from opsync.current import Pass
from opsync.report import InstanceReport, PassReport
from opsync.stages.apply import TargetWork
from opsync.steps.deriving import link_changed, resolve_ahead, roll_up_changed
from opsync.steps.doubting import tell_doubts
from opsync.steps.limiting import count_anew, within_limits
from opsync.steps.measuring import measure_changed
from opsync.steps.reading import look_around, pull_all
from opsync.steps.shared import ASIDE, DERIVED_AS, OWN, aside_digest
from opsync.steps.watching import watch
from opsync.steps.writing import apply_all, look_at_releases, plan_changed
from opsync.store import InstanceRun

OUTCOMES = {0: "done", 1: "done in part", 3: "sign-in refused"}
"""A run's outcome by its exit code."""


async def run_pass(this: Pass) -> PassReport:
    """Run one pass and return what it did. Raises StoreError only: all else is in the report."""
    started = this.clock.monotonic()
    await pull_all(this)
    work = await decide(this)
    if this.write:
        await apply_all(this, work)
    await finish(this, started)
    return this.report


async def decide(this: Pass) -> dict[str, list[TargetWork]]:
    """All between reading and writing: by instance, what is to be written where."""
    await look_around(this)
    await link_changed(this)
    await measure_changed(this)
    await roll_up_changed(this)
    work = await plan_changed(this)
    return await within_limits(this, work)


async def ask_ahead(this: Pass) -> None:
    """Ask the instances that are read in this pass for all that `decide` will want to know of them,
    so that it needs to ask none: a service decides for all, and a slow tool holds up nobody."""
    for report in this.report.instances:
        if report.pulled:
            await resolve_ahead(this, report.instance)
    if any(this.of(name).pulled for name in this.measurable):
        await measure_changed(this)
        await look_at_releases(this)
    this.asked_ahead = True
    this.look_afresh()


async def finish(this: Pass, started: float) -> None:
    """Close the run: counts, requests, what is wrong besides, and the mark that all that changed
    was dealt with."""
    report = this.report
    for instance in report.instances:
        if this.is_mine(instance.instance):
            used = this.instances[instance.instance].used
            instance.read_requests += used.reads
            instance.write_requests += used.writes
            instance.waited_s += used.waited_s
    counts = await this.store.counts()
    report.links, report.rollups = counts["links"], counts["rollups"]
    aside = await this.store.aside_counts()
    here = [aside[name] for name in this.instances if name in aside]
    report.aside = sum(one.items for one in here)
    report.retrying = sum(one.writes for one in here)
    report.seconds = this.clock.monotonic() - started
    await count_anew(this)
    await this.store.put_off(this.put_off)
    if this.recount:
        now = {DERIVED_AS: this.derives_as, ASIDE: await aside_digest(this.store)}
        await this.store.put_kept(OWN, now)
    tell_doubts(this)
    await watch(this)
    await this.store.finish_run(
        this.run,
        outcome=OUTCOMES.get(report.exit_code, "done in part"),
        instances=[_instance_run(instance) for instance in report.instances],
        counts=report.summary(),
    )
    this.config.plugins.finished(report)


def _instance_run(report: InstanceReport) -> InstanceRun:
    outcome = report.trouble or ("complete" if report.pulled else "not read")
    counts = {
        "read": report.read,
        "changed": report.changed,
        "set_aside": report.set_aside,
        "missing": report.missing,
        "census_requests": report.census_requests,
        "read_requests": report.read_requests,
        "write_requests": report.write_requests,
    }
    return InstanceRun(report.instance, outcome, report.message, counts)
