"""Whether the blocks of a configuration fit together: what one names another must be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from opsync.blocks import General
from opsync.blocks.rules import RollupBlock
from opsync.contending import same_field
from opsync.contract.connector import Connector, Measurable, Writable
from opsync.contract.pages import WritesPages
from opsync.model import MetricKind
from opsync.model.rules import LINKS_RULE, MetricRule
from opsync.plugins import Plugins
from opsync.problems import did_you_mean, env_name

Classes = Mapping[str, type[Connector[Any]] | None]
"""By instance the class of its connector; None where that is a problem of its own."""


def cross_check(general: General, plugins: Plugins) -> Iterable[str]:
    """What does not fit together, one line each."""
    classes = {
        name: plugins.connectors.get(str(block.get("connector")))
        for name, block in general.instances.items()
    }
    prefixes: dict[str, str] = {}
    for name in general.instances:
        other = prefixes.setdefault(env_name(name), name)
        if other != name:
            yield f"instances.{name}: its environment variables would be those of {other}"
    rules: set[str] = set()
    for number, rule in enumerate(general.rollup):
        where = f"rollup.{number}"
        if rule.name in rules or rule.name == LINKS_RULE:
            yield f'{where}.name: "{rule.name}" is taken'
        rules.add(rule.name)
        if rule.roots.instance not in classes:
            yield _no_instance(f"{where}.roots.instance", rule.roots.instance, classes)
        yield from _metrics(where, rule, classes)
        yield from _announced(where, rule, classes)
    yield from same_field(general.rollup)
    yield from _company(general)
    yield from _pages(general, classes)


def _pages(general: General, classes: Classes) -> Iterable[str]:
    """What is to stand on a page is written by a connection that can."""
    able = [n for n, class_ in classes.items() if class_ and issubclass(class_, WritesPages)]
    service = general.service
    for name, block in (("digest", service.digest), ("health_page", service.health_page)):
        where = f"service.{name}.notion"
        class_ = classes.get(block.notion)
        if block.notion and block.notion not in classes:
            yield _no_instance(where, block.notion, able or classes)
        elif class_ is not None and not issubclass(class_, WritesPages):
            yield f"{where}: {class_.title} has no pages to write"
        elif (
            block.notion_page
            and not block.notion
            and len(able) != 1
            and None not in classes.values()
        ):
            which = f"name one of: {', '.join(able)}" if able else "no connection can write pages"
            yield f"{where}: missing; {which}"


def _no_instance(where: str, name: str, known: Iterable[str]) -> str:
    return f'{where}: no instance "{name}"{did_you_mean(name, known)}'


def _metrics(where: str, rule: RollupBlock, classes: Classes) -> Iterable[str]:
    """Each is asked of an analytics tool that has such, and once."""
    measurable = [n for n, class_ in classes.items() if class_ and issubclass(class_, Measurable)]
    known: dict[MetricRule, int] = {}
    for number, block in enumerate(rule.metric):
        here, metric = f"{where}.metric.{number}", block.rule()
        first = known.setdefault(msgspec.structs.replace(metric, weeks=0), number)
        if first != number:
            yield f"{here}: measures the same as metric.{first}"
        if block.instance not in classes:
            yield _no_instance(f"{here}.instance", block.instance, measurable or classes)
            continue
        class_ = classes[block.instance]
        if class_ is None:
            continue
        if not issubclass(class_, Measurable):
            others = f"; one that can: {', '.join(measurable)}" if measurable else ""
            yield f"{here}.instance: {class_.title} measures nothing{others}"
        elif metric.kind not in class_.metric_nouns:
            has = ", ".join(sorted(kind.value for kind in class_.metric_nouns))
            key = f"{metric.kind.value}_from" if metric.property else metric.kind.value
            near = f"use one of: {has}, each also as …_from"
            yield f"{here}.{key}: {class_.title} has no {_PLURAL[metric.kind]}; {near}"


_PLURAL = {
    MetricKind.event: "events",
    MetricKind.flag: "flags",
    MetricKind.insight: "insights, charts or reports",
}


def _announced(where: str, rule: RollupBlock, classes: Classes) -> Iterable[str]:
    """Releases are told in tools that have a place for it."""
    telling = [n for n, class_ in classes.items() if class_ and _tells(class_)]
    for number, name in enumerate(rule.announce_in):
        here = f"{where}.announce_in.{number}"
        class_ = classes.get(name)
        if name in rule.announce_in[:number]:
            yield f'{here}: "{name}" is listed twice'
        elif name not in classes:
            yield _no_instance(here, name, telling or classes)
        elif class_ is not None and not _tells(class_):
            others = f"; one that has: {', '.join(telling)}" if telling else ""
            yield f"{here}: {class_.title} has no place in which releases are told{others}"


def _tells(class_: type[Connector[Any]]) -> bool:
    return (
        issubclass(class_, Measurable)
        and issubclass(class_, Writable)
        and any(surface.content == "release" for surface in class_.surfaces)
    )


def _company(general: General) -> Iterable[str]:
    """What teams, people and twins name must be there, and be there once."""
    named = [
        (f"team.{number}.scope.{at}.instance", scope.instance)
        for number, team in enumerate(general.team)
        for at, scope in enumerate(team.scope)
    ]
    named += [(f"twins.prefer.{at}", name) for at, name in enumerate(general.twins.prefer)]
    for where, name in named:
        if name not in general.instances:
            yield _no_instance(where, name, general.instances)
    teams: set[str] = set()
    for number, team in enumerate(general.team):
        if team.name in teams:
            yield f'team.{number}.name: "{team.name}" is taken'
        teams.add(team.name)
    known: dict[str, str] = {}
    for number, person in enumerate(general.person):
        for alias in person.known_as:
            other = known.setdefault(alias.casefold(), person.name)
            if other != person.name:
                yield f'person.{number}.known_as: "{alias}" is {other} already'
