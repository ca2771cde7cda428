"""Rules and names are held against what was read."""

from __future__ import annotations

from opsync.engine.checkup import Unused, examine_rules, names_without_item, unused_properties
from opsync.engine.lookup import Lookup
from opsync.engine.veil import Veil
from opsync.model import Kind, Mention, Record, Ref
from opsync.model.rules import RollupRule, Roots
from tests.support.world import World


def rule(*properties: str) -> RollupRule:
    return RollupRule(name="roadmap", roots=Roots(instance="notion"), properties=properties)


def root(*columns: str, body: str = "") -> Record:
    """An initiative that names PAY-1 in these columns, and in a text that is none."""
    mentions = [Mention("PAY-1", field=column, property=True) for column in columns]
    mentions += [Mention("PAY-1", field=body)] if body else []
    return Record(
        ref=Ref("notion", "page", "1"), kind=Kind.initiative, title="x", mentions=tuple(mentions)
    )


def test_a_property_that_no_root_uses_comes_with_the_likest_that_some_do() -> None:
    roots = [root("Tracked in", "Related"), root("Tracked in")]

    assert unused_properties(rule("Trakced in"), roots) == (Unused("Trakced in", ("Tracked in",)),)
    assert unused_properties(rule("tracked IN"), roots) == (Unused("tracked IN", ("Tracked in",)),)
    assert unused_properties(rule("Arbeit"), roots) == (
        Unused("Arbeit", ("Related", "Tracked in")),
    )
    assert unused_properties(rule("Tracked in"), roots) == ()


def test_where_nothing_is_named_in_a_property_nothing_is_judged() -> None:
    assert unused_properties(rule("Tracked in"), [root(), root(body="description")]) == ()
    assert unused_properties(rule(), [root("Tracked in")]) == ()


async def test_each_rule_is_told_with_its_initiatives(settled: World) -> None:
    async with settled.session() as session:
        (found,) = await examine_rules(session.config, session.store)

    assert (found.rule, found.kind, found.roots, found.read) == ("roadmap", "initiative", 2, True)
    assert found.unused == ()


async def test_words_that_only_look_like_keys_are_no_lost_names(world: World) -> None:
    text = "UTF-8 by ISO-8601, after PAY-4711 and GRO-4711"
    world.linear.edit("GRO-2", description=text)
    await world.sync()

    async with world.session() as session:
        veil = Veil(Lookup(session.config, session.store))
        assert await names_without_item(session.store, veil) == ["PAY-4711", "GRO-4711"]
