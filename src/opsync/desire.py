"""What should stand at a target's places: links and rollups, worded and laid out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec
from msgspec import Struct

from opsync.contract.connector import Surface, Writable
from opsync.languages import ENGLISH, Words
from opsync.model import Card, Kind, Link, Record, Ref, Rollup, RollupContent, Slot
from opsync.model.ledger import Entry
from opsync.model.pair import ACCEPTED
from opsync.model.rules import LINKS_RULE, LinkSettings, RollupRule, mode_of, modes_of
from opsync.stages.places import Want
from opsync.teams import TeamHere, as_private
from opsync.wording import (
    card,
    link_content,
    release_content,
    release_reason,
    rollup_content,
)

ADOPTION = "adoption"
"""The surface whose text tells how much an initiative is used. It may name what is measured, which
is the initiative's own word."""


class Setting(Struct, frozen=True):
    """What holds for all targets of a pass.

    `tools` and `expose` are by instance; `stale` names the instances that cannot be read and the
    date since when, once that has lasted long enough to say so in other tools. `teams` are those
    of the instances in which one is private.
    """

    tools: Mapping[str, str]
    expose: Mapping[str, str]
    rules: Mapping[str, RollupRule]
    links: LinkSettings
    as_of: date
    stale: Mapping[str, date] = {}
    words: Words = ENGLISH
    teams: Mapping[str, Sequence[TeamHere]] = {}
    analytics: frozenset[str] = frozenset()
    """The instances that hold no work: a link to them counts nowhere."""

    def card(self, record: Record) -> Card:
        """`record` as other tools may show it, in the words in force."""
        record = as_private(record, self.teams)
        instance = record.ref.instance
        tool = self.tools.get(instance, instance)
        return card(record, tool, self.expose.get(instance, "nothing"), self.words)

    def discreet(self, rollup: Rollup, root: Record) -> Rollup:
        """A rollup as it may be told outside of its root's own tool: without the names of metrics
        that could not be measured, where the root that says them is private."""
        if not as_private(root, self.teams).private:
            return rollup
        told = tuple(one for one in rollup.adoption if not one.trouble)
        return msgspec.structs.replace(rollup, adoption=told)


def desire(
    target: Record,
    links: Sequence[Link],
    others: Mapping[Ref, Record],
    rollups: Sequence[tuple[Rollup, Record]],
    connector: Writable,
    setting: Setting,
) -> list[Want]:
    """All that should stand at `target`'s places.

    `others` are the records that the links and the rollups' containers lead to, as far as they
    exist; `rollups` are those of which the target is the root or a container that the root names,
    each with its root. Where the target is an analytics project, they are those of which the
    release is told there.
    """
    if target.tombstone:
        return []
    if target.kind is Kind.product:
        return _releases(target, rollups, connector, setting)
    wants: list[Want] = []
    covered: set[Ref] = set()
    places: set[tuple[str, str]] = set()
    for rollup, root in sorted(rollups, key=lambda one: one[1].ref != target.ref):
        rule = setting.rules.get(rollup.rule)
        if rule is None:
            continue
        at_root = root.ref == target.ref
        if ("root" if at_root else "containers") not in rule.write_to:
            continue
        if not at_root and not target.kind.contains:
            continue
        content = content_of(rollup, root, others, setting, at_root=at_root)
        for surface in _surfaces(connector, "rollup", target):
            want = _rollup_want(surface, target, content, connector, rule, setting)
            if want is None:
                continue
            place = surface.name, connector.address(surface.name, want.value)
            if place in places:
                # Two rules over the same roots: the first in the order of their names writes.
                continue
            places.add(place)
            wants.append(want)
            covered.add(root.ref)
    for link in links:
        other = others.get(link.other(target.ref))
        if other is None or other.tombstone or other.ref in covered:
            continue
        shown = setting.card(other)
        if not shown.url:
            continue
        for surface in _surfaces(connector, "link", target):
            value = connector.render(surface.name, target, link_content(shown, setting.words))
            if value is not None:
                slot = Slot(target.ref, surface.name, LINKS_RULE, other.ref)
                wants.append(
                    Want(
                        slot,
                        value,
                        _link_reason(link, target, shown),
                        tuple(_sentence(e.source, e.field, target, shown) for e in link.evidence),
                        mode=setting.links.mode,
                        edits=setting.links.edits,
                    )
                )
    return wants


def _releases(
    target: Record,
    rollups: Sequence[tuple[Rollup, Record]],
    connector: Writable,
    setting: Setting,
) -> list[Want]:
    """That initiatives were shipped, each told once whatever the rules."""
    wants: list[Want] = []
    told: set[Ref] = set()
    for rollup, root in rollups:
        rule, release = setting.rules.get(rollup.rule), rollup.released
        if rule is None or release is None or release.on is None or root.ref in told:
            continue
        if target.ref not in rollup.announced_in:
            continue
        shown = setting.card(root)
        if not shown.url:
            continue
        told.add(root.ref)
        content = release_content(shown, release, setting.words)
        for surface in _surfaces(connector, "release", target):
            value = connector.render(surface.name, target, content)
            if value is not None:
                wants.append(
                    Want(
                        Slot(target.ref, surface.name, rule.name, root.ref),
                        value,
                        release_reason(release, rule.released),
                        (f"rule {rule.name}",),
                        {str(root.ref): rollup.inputs},
                        mode=rule.mode,
                        edits=rule.edits,
                    )
                )
    return wants


def withdraw(entries: Sequence[Entry], wants: Sequence[Want], setting: Setting) -> list[Want]:
    """What stands in slots that nothing asks for any more: to be removed as `mode_of` its rule
    says."""
    wanted = {want.slot for want in wants}
    modes = modes_of(setting.rules.values(), setting.links)
    return [
        Want(entry.slot, None, "no longer asked for", mode=mode_of(entry.slot.rule, modes))
        for entry in entries
        if entry.slot not in wanted
    ]


def _surfaces(connector: Writable, content: str, target: Record) -> list[Surface]:
    return [s for s in connector.surfaces if s.content == content and target.kind in s.kinds]


def content_of(
    rollup: Rollup,
    root: Record,
    others: Mapping[Ref, Record],
    setting: Setting,
    *,
    at_root: bool,
) -> RollupContent:
    """A rollup in the words in force. `others` has the records of its containers."""
    cards = {c.ref: setting.card(others[c.ref]) for c in rollup.containers if c.ref in others}
    unreadable = sorted(
        (since, setting.tools.get(instance, instance))
        for instance, since in setting.stale.items()
        if instance in rollup.instances
    )
    rule = setting.rules[rollup.rule]
    if not at_root:
        rollup = setting.discreet(rollup, root)
    return rollup_content(
        rollup,
        setting.card(root),
        cards,
        paste_into=rule.properties[0] if rule.properties else "",
        paste_tools=sorted(
            {
                tool
                for name, tool in setting.tools.items()
                if name != root.ref.instance and name not in setting.analytics
            }
        ),
        stale=unreadable[0] if unreadable else None,
        changed_on=setting.as_of,
        at_root=at_root,
        measured_in=setting.tools,
        words=setting.words,
    )


def _rollup_want(
    surface: Surface,
    target: Record,
    content: RollupContent,
    connector: Writable,
    rule: RollupRule,
    setting: Setting,
) -> Want | None:
    if not content.at_root and not content.root.url:
        return None
    value = connector.render(surface.name, target, content)
    if value is None:
        return None
    rollup = content.rollup
    why = f"{rollup.health}: {rollup.reason}"
    evidence: tuple[str, ...] = (f"{rollup.done} of {rollup.total} items done",)
    if surface.name == ADOPTION and rollup.adoption:
        counted_in = rollup.adoption[0].metric.instance
        why, evidence = f"as {setting.tools.get(counted_in, counted_in)} counts its use", ()
    return Want(
        Slot(target.ref, surface.name, rule.name, rollup.root),
        value,
        why,
        (*evidence, f"rule {rule.name}"),
        {str(rollup.root): rollup.inputs},
        mode=rule.mode,
        edits=rule.edits,
    )


def _link_reason(link: Link, target: Record, other: Card) -> str:
    first = link.evidence[0]
    return _sentence(first.source, first.field, target, other)


def _sentence(source: Ref, field: str, target: Record, other: Card) -> str:
    if field == ACCEPTED:
        return f"{ACCEPTED} with {other.label}"
    if source == target.ref:
        return f'{other.label} is named in "{field}"'
    return f'named in "{field}" of {other.label}'
