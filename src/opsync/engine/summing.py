"""What a delivery summary counts, what it leaves out, and what it rests on: why it says so."""

from __future__ import annotations

from collections.abc import Sequence

from opsync.engine.adopted import shipped
from opsync.engine.adopting import Adopting, metric_properties
from opsync.engine.explained import Counted, Input, LeftOut, Summary
from opsync.engine.freshness import failing_since, read_at
from opsync.engine.lookup import NEVER, ROLES, Lookup, called, detail, unresolved
from opsync.engine.veil import Veil
from opsync.model import Member, Record, Ref, Role, Rollup
from opsync.model.pair import ACCEPTED
from opsync.model.rules import RollupRule
from opsync.stages.health import percent_of

_SHOWN = (Role.leaf, Role.container)
"""The members that are told as counted, or as holding what is."""


async def summary(look: Lookup, rollup: Rollup, root: Record) -> Summary:
    """`rollup`, with what it counts, what it leaves out, and how fresh it is."""
    rule = look.rules.get(rollup.rule)
    members = await look.store.members(rollup.rule, rollup.root)
    counted = [await _counted(look, member, root) for member in members]
    adopting = Adopting(look, rollup, root)
    return Summary(
        rule=rollup.rule,
        mode=rule.mode.value if rule else "no longer configured",
        approved=(await look.approvals()).of_rule(rollup.rule),
        properties=rule.properties if rule else (),
        done=rollup.done,
        total=rollup.total,
        blocked=rollup.blocked,
        canceled=rollup.canceled,
        private=rollup.private,
        missing=await Veil(look).missing(root, rollup.missing),
        percent=percent_of(rollup),
        health=rollup.health,
        reason=rollup.reason,
        due_on=rollup.due_on,
        version=rollup.inputs,
        members=tuple(c for c, m in zip(counted, members, strict=True) if m.role in _SHOWN),
        left_out=(
            *(LeftOut(c.item.label, "canceled") for c in counted if c.role == "canceled"),
            *await _same_work(look, members),
            *await _left_out(look, rollup, root, members, rule),
        ),
        inputs=tuple(await _inputs(look, rollup)),
        released=shipped(rollup, rule),
        not_announced=await adopting.not_announced(),
        adoption=await adopting.measured(),
        not_measured=await adopting.not_measured(),
    )


async def _counted(look: Lookup, member: Member, root: Record) -> Counted:
    if member.field == ACCEPTED:
        why = await look.accepted(root.ref, member.ref)
    elif member.field:
        why = f'named in "{member.field}"'
    elif member.via == root.ref:
        why = f"part of {look.catalog.item(root).label}"
    else:
        why = f"part of {(await look.item(member.via)).label}"
    return Counted(item=await look.item(member.ref), role=ROLES[member.role], why=why)


async def counted_as(look: Lookup, member: Member, members: Sequence[Member]) -> str:
    """What is counted instead of a member that is the same work; "" for any other member."""
    if member.role is not Role.twin:
        return ""
    roles = {one.ref: one.role for one in members}
    for sides in await look.store.twins([member.ref]):
        for ref in sides.refs if member.ref in sides.refs else ():
            if roles.get(ref, Role.twin) is not Role.twin:
                item = await look.item(ref)
                return item.key or item.label
    return "the initiative itself"


async def _same_work(look: Lookup, members: Sequence[Member]) -> list[LeftOut]:
    """The members that are not counted because another side of the same work is."""
    return [
        LeftOut((await look.item(one.ref)).label, f"the same work as {instead}, counted once")
        for one in members
        if (instead := await counted_as(look, one, members))
    ]


async def _left_out(
    look: Lookup,
    rollup: Rollup,
    root: Record,
    members: Sequence[Member],
    rule: RollupRule | None,
) -> list[LeftOut]:
    """What the initiative names or is linked with, and does not count."""
    veil = Veil(look)
    counted = {member.ref for member in members}
    roots = {one.root for one in await look.store.rollups(rollup.rule)}
    aside = {one.ref: one.reason for one in await look.store.quarantine()}
    found: dict[str, str] = {}
    measures = metric_properties(rule)
    analytics = {one.instance for one in rule.metrics} if rule else set()
    for mention, candidates in (await look.store.tree(rollup.root)).names:
        if mention.field == ACCEPTED and not candidates:
            label, why = await look.kept(rollup.root, Ref.parse(mention.alias))
            found[label] = why
            continue
        named_in = {mention.instance, *(ref.instance for ref in candidates)}
        if mention.field in measures and analytics & named_in:
            continue  # told with its adoption
        if len(candidates) != 1:
            found[await veil.named(root, mention)] = unresolved(mention, len(candidates))
            continue
        (ref,) = candidates
        if ref in counted or ref == rollup.root:
            continue
        record = await look.record(ref)
        label = (await look.item(ref)).label
        if rule and rule.properties and mention.field not in (*rule.properties, ACCEPTED):
            found[label] = f'named in "{mention.field}", which the rule does not look at'
        elif ref in aside:
            found[label] = f"set aside: {await veil.aside(ref, aside[ref])}"
        elif ref in roots:
            found[label] = "an initiative itself"
        elif record is not None and record.kind in NEVER:
            found[label] = f"{called(look.catalog.item(record))} is never counted"
        elif record is not None and record.detail:
            found[label] = detail(record)
    for link in await look.store.links_of(rollup.root):
        other = link.other(rollup.root)
        if other.instance in analytics and any(e.field in measures for e in link.evidence):
            continue
        label = (await look.item(other)).label
        if other not in counted and label not in found:
            found[label] = f"linked only: {await look.sentence(link.evidence[0], rollup.root)}"
    return [LeftOut(what, why) for what, why in found.items()]


async def _inputs(look: Lookup, rollup: Rollup) -> list[Input]:
    cursors = [one for one in await look.store.cursors() if one.instance in rollup.instances]
    found = []
    for name in rollup.instances:
        feeds = [one for one in cursors if one.instance == name]
        found.append(
            Input(
                instance=name,
                tool=look.catalog.tool(name),
                read_at=read_at(feeds),
                failing_since=failing_since(feeds),
            )
        )
    return found
