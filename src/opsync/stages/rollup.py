"""Roll up: a root's members become its numbers. Pure: the date is an input."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta, tzinfo
from hashlib import blake2b

import msgspec
from msgspec import Struct

from opsync.adoption import adoption_of
from opsync.contract.hookspecs import HealthRule
from opsync.model import (
    Adoption,
    Category,
    Container,
    Health,
    Kind,
    Member,
    Mention,
    Preference,
    Record,
    Ref,
    Release,
    Role,
    Rollup,
    Sides,
    Space,
    Usage,
)
from opsync.model.link import target_of
from opsync.model.pair import ACCEPTED
from opsync.model.rules import RollupRule
from opsync.model.twin import counted_once
from opsync.stages.health import health_of

SCOPE_DAYS = 7
"""Work added in so many days before the date is shown as added scope …"""
SCOPE_SHARE = 0.25
"""… if it is more than this share of what was there before."""

PRIVATE = "a private item"
"""What private work is called where it is missing from a number."""

_NEVER_MEMBERS = frozenset({Kind.document, Kind.metric, Kind.product, Kind.person})


class RollupInputs(Struct, frozen=True):
    """All that a rollup is computed from.

    `names`: each mention in one of the root's own properties, with the living records that answer
    to it; like one that every rule looks at also what people accepted. `nodes`: those records and
    everything below them and below the root, gone ones left out. `roots`: the rule's roots, which
    are never each other's members. `aside`: refs of records whose latest version could not be
    read. `twins`: what is one piece of work with a node or the root, and `preference` whose side
    of it counts. `release` says when the root was shipped, `planned_on` the day to come on which
    that changes by itself, `usages` what is known of the metrics it asks for, in the rule's order,
    and `products` where releases are told, by instance.
    """

    root: Record
    names: Sequence[tuple[Mention, Sequence[Ref]]]
    nodes: Mapping[Ref, Record]
    roots: AbstractSet[Ref] = frozenset()
    aside: AbstractSet[Ref] = frozenset()
    twins: Sequence[Sides] = ()
    preference: Preference = Preference()
    release: Release | None = None
    planned_on: date | None = None
    usages: Sequence[Usage] = ()
    products: Mapping[str, Ref] = {}


def roll_up(
    inputs: RollupInputs,
    rule: RollupRule,
    as_of: date,
    zone: tzinfo,
    health_rules: Sequence[HealthRule] = (),
) -> tuple[Rollup, list[Member]]:
    """The rollup of one root and the members it rests on, each once whatever the paths.

    `as_of` is the date in the configured `zone` in which days begin.
    """
    root = inputs.root
    members, missing, parts = _members(inputs, rule)
    leaves = [inputs.nodes[m.ref] for m in members if m.role is Role.leaf]
    counts = Counter(record.category for record in leaves)
    done, total = counts[Category.done], len(leaves)
    estimated = [r for r in leaves if r.estimate is not None]
    units = {r.estimate_unit for r in estimated}
    enough = total > 0 and len(estimated) * 2 >= total and len(units) == 1
    added = _added_scope(leaves, as_of, zone)
    adoption = tuple(adoption_of(usage, inputs.release) for usage in inputs.usages)
    announced_in = _announced_in(inputs, rule)
    rollup = Rollup(
        rule=rule.name,
        root=root.ref,
        counts={category: counts[category] for category in Category if counts[category]},
        done=done,
        total=total,
        canceled=sum(1 for m in members if m.role is Role.canceled),
        blocked=sum(1 for r in leaves if r.category.open and r.blocked),
        overdue=root.due_on is not None and root.due_on < as_of and done < total,
        private=sum(1 for r in leaves if r.private),
        missing=tuple(sorted(missing)),
        progress=done / total if total else None,
        estimate_done=(
            sum(r.estimate or 0 for r in estimated if r.category is Category.done)
            if enough
            else None
        ),
        estimate_total=sum(r.estimate or 0 for r in estimated) if enough else None,
        estimate_unit=units.pop() if enough else "",
        estimated=len(estimated),
        due_on=root.due_on,
        done_since=_done_since(leaves, zone) if total and done == total else None,
        scope_added=len(added),
        scope_since=min(added) if added else None,
        spaces=_spaces(leaves),
        containers=_containers(members, inputs.nodes, parts),
        released=inputs.release,
        announced_in=announced_in,
        adoption=tuple(sorted(adoption, key=lambda one: not one.measured)),
        instances=tuple(sorted({root.ref.instance, *(m.ref.instance for m in members)})),
        inputs=_digest(root, members, inputs.nodes, inputs.release, adoption),
    )
    days = added or _created(leaves, zone)
    revisit_on = _revisit_on(rollup, rule, as_of, inputs.planned_on, days)
    rollup = msgspec.structs.replace(rollup, revisit_on=revisit_on)
    health, reason = _health(root, rollup, rule, as_of, health_rules)
    return msgspec.structs.replace(rollup, health=health, reason=reason), members


def _below(nodes: Mapping[Ref, Record]) -> dict[Ref, list[Ref]]:
    below: dict[Ref, list[Ref]] = defaultdict(list)
    for ref, record in nodes.items():
        for parent in record.parents:
            below[parent].append(ref)
    return below


def _members(
    inputs: RollupInputs, rule: RollupRule
) -> tuple[list[Member], list[str], Mapping[Ref, Sequence[Ref]]]:
    """The members, what is missing, and the parts that count of each member that has parts: those
    of one piece of work are the parts of all its sides."""
    nodes, below = inputs.nodes, _below(inputs.nodes)
    missing: set[str] = set()
    via: dict[Ref, tuple[Ref, str]] = {}
    queue: list[Ref] = []
    unseen: list[Ref] = []
    veiled: set[Ref] = set()

    def leave_out(record: Record) -> None:
        if record.private:
            veiled.add(record.ref)
        else:
            missing.add(record.key or record.title)

    def reach(ref: Ref, parent: Ref, field: str) -> None:
        record = nodes.get(ref)
        if record is None or ref == inputs.root.ref or ref in via:
            return
        if ref in inputs.roots or record.kind in _NEVER_MEMBERS or record.detail:
            return
        if ref in inputs.aside:
            leave_out(record)
            return
        via[ref] = (parent, field)
        queue.append(ref)
        if record.tombstone:
            # Not visible any more: it is missing, and what hangs on it is looked for all the same.
            unseen.append(ref)

    for mention, candidates in inputs.names:
        if rule.properties and mention.field not in (*rule.properties, ACCEPTED):
            continue
        if mention.part == "hint":
            continue
        target = target_of(mention, candidates)
        if target is not None:
            reach(target, inputs.root.ref, mention.field)
        elif mention.instance and not candidates:
            missing.add(mention.text or mention.alias)
    for child in below.get(inputs.root.ref, ()):
        reach(child, inputs.root.ref, "")
    at = 0
    while at < len(queue):
        for child in below.get(queue[at], ()):
            reach(child, queue[at], "")
        at += 1
    for ref in unseen:
        if not below.get(ref):
            leave_out(nodes[ref])
    counted = _counted_once(inputs, via)
    parts: dict[Ref, list[Ref]] = defaultdict(list)
    for ref in queue:
        one = counted.get(ref, ref)
        for child in below.get(ref, ()):
            if child in via and counted.get(child, child) != one:
                # A part that is counted elsewhere makes a container all the same.
                parts[one] += [] if child in counted else [child]
    members = []
    for ref in queue:
        parent, field = via[ref]
        if nodes[ref].tombstone:
            continue
        if ref in counted:
            role = Role.twin
        elif ref in parts:
            role = Role.container
        elif nodes[ref].category is Category.canceled:
            role = Role.canceled
        else:
            role = Role.leaf
        members.append(Member(ref, role, parent, field, top=parent == inputs.root.ref))
    return members, [*missing, *[PRIVATE] * len(veiled)], parts


def _counted_once(inputs: RollupInputs, reached: Mapping[Ref, object]) -> dict[Ref, Ref]:
    """The members that are not counted because another side of the same work is."""
    if not inputs.twins:
        return {}
    root = inputs.root.ref
    return counted_once(inputs.twins, {root, *reached}, inputs.preference, root)


def _containers(
    members: Sequence[Member], nodes: Mapping[Ref, Record], parts: Mapping[Ref, Sequence[Ref]]
) -> tuple[Container, ...]:
    """What the root names, in the order it names them, with the leaves at and below each."""
    roles = {member.ref: member.role for member in members}
    containers = []
    for member in members:
        if member.top and member.role is not Role.twin:
            leaves = [
                ref for ref in _at_and_below(member.ref, parts) if roles.get(ref) is Role.leaf
            ]
            done = sum(1 for ref in leaves if nodes[ref].category is Category.done)
            single = member.role is not Role.container and not nodes[member.ref].kind.contains
            containers.append(Container(member.ref, done, len(leaves), single=single))
    return tuple(containers)


def _at_and_below(ref: Ref, below: Mapping[Ref, Sequence[Ref]]) -> Iterable[Ref]:
    seen = {ref}
    queue = [ref]
    for one in queue:
        yield one
        for child in below.get(one, ()):
            if child not in seen:
                seen.add(child)
                queue.append(child)


def _spaces(leaves: Sequence[Record]) -> tuple[Space, ...]:
    totals: dict[str, list[int]] = {}
    for record in leaves:
        name = record.team or record.space
        if name and not record.private:
            counts = totals.setdefault(name, [0, 0])
            counts[0] += record.category is Category.done
            counts[1] += 1
    ordered = sorted(totals.items(), key=lambda item: (-item[1][1], item[0]))
    return tuple(Space(name, counts[0], counts[1]) for name, counts in ordered)


def _done_since(leaves: Sequence[Record], zone: tzinfo) -> date | None:
    """The day on which the last of them was done; None where the day of one is not known."""
    ends = [r.completed_at for r in leaves if r.completed_at is not None]
    return max(ends).astimezone(zone).date() if len(ends) == len(leaves) > 0 else None


def _added_scope(leaves: Sequence[Record], as_of: date, zone: tzinfo) -> list[date]:
    """The creation dates of the leaves that came in the last days, if they are many."""
    first = as_of - timedelta(days=SCOPE_DAYS)
    added = [day for day in _created(leaves, zone) if day >= first]
    before = len(leaves) - len(added)
    return added if before and len(added) > SCOPE_SHARE * before else []


def _created(leaves: Sequence[Record], zone: tzinfo) -> list[date]:
    return [r.created_at.astimezone(zone).date() for r in leaves if r.created_at is not None]


def _revisit_on(
    rollup: Rollup,
    rule: RollupRule,
    as_of: date,
    planned_on: date | None,
    created: Sequence[date],
) -> date | None:
    """The next date on which time alone may change the rollup: when it comes due, or is released
    as planned, or when work that was created lately (`created`) is no longer new, or is what other
    work is added to."""
    days = [] if planned_on is None else [planned_on]
    if rollup.due_on is not None and rollup.done < rollup.total:
        days.append(rollup.due_on - timedelta(days=rule.thresholds.due_within_days))
        days.append(rollup.due_on + timedelta(days=1))
    days.extend(day + timedelta(days=SCOPE_DAYS + 1) for day in created)
    return min((day for day in days if day > as_of), default=None)


def _health(
    root: Record, rollup: Rollup, rule: RollupRule, as_of: date, further: Sequence[HealthRule]
) -> tuple[Health, str]:
    for health_rule in further:
        answer = health_rule(root, rollup, as_of)
        if answer is not None:
            return answer
    return health_of(root, rollup, rule, as_of)


def _announced_in(inputs: RollupInputs, rule: RollupRule) -> tuple[Ref, ...]:
    """Where it is told that the root was shipped, once it is known when."""
    if inputs.release is None or inputs.release.on is None:
        return ()
    products = inputs.products
    return tuple(products[name] for name in rule.announce_in if name in products)


def _digest(
    root: Record,
    members: Sequence[Member],
    nodes: Mapping[Ref, Record],
    release: Release | None,
    adoption: Sequence[Adoption],
) -> str:
    """A digest of all that the rollup and its wording are made from."""
    facts = []
    for member in sorted(members, key=lambda m: m.ref):
        one = nodes[member.ref]
        named = (one.key, one.title, one.url) if member.top else ()
        state = (one.category, one.blocked, one.private, one.estimate, one.completed_at)
        whose = one.team or one.space
        facts.append((str(one.ref), member.role, whose, one.estimate_unit, *state, *named))
    told = (root.title, root.url, root.due_on, root.paused, facts)
    # Nothing links a root to where its release is told: it is looked at there because this differs.
    used = (release, adoption, root.private) if release or adoption else ()
    body = msgspec.json.encode((*told, *used))
    return blake2b(body, digest_size=16).hexdigest()
