"""`opsync explain`: why an item counts, or does not, and why a value stands where it does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from opsync.cli import words
from opsync.cli.blank import not_blank
from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    open_config,
    open_store,
    print_json,
    run_async,
    store_option,
)
from opsync.cli.explainvalues import ADOPTION, print_only_adoption, print_values
from opsync.cli.explainview import print_choices, print_explanation, print_nobody
from opsync.config import Config
from opsync.engine.explain import Explainer
from opsync.engine.explained import Choices, Explanation, Nobody, PlaceValue
from opsync.runtime import SystemClock

UNCLEAR = 2
"""The exit code where the name fits nothing, or more than one item."""


@click.command()
@click.argument("item", callback=not_blank)
@click.argument("place", callback=not_blank, required=False)
@json_option
@config_option
@store_option
def explain(
    item: str, place: str | None, as_json: bool, config_path: Path | None, store: Path | None
) -> int:
    """Why an item counts, or does not; why a value stands where it does.

    ITEM is a URL, a key, or a piece of a title. PLACE (as in Delivery) tells of that value alone:
    its rule, members, inputs, run, before and after; "Adoption" tells from what rule and metric to
    what it shows before and after a release. Asks no tool.

    With --json: {"item", "owner", "notes", "disagreements", "summaries", "counts_in", "links",
    "no_links", "values"}; for a name that fits several items {"choices": [...], "more"}, for
    one that nobody has {"nobody": {...}}.
    """
    opened = open_config(config_path, store=store)
    found = run_async(_explain(opened, item))
    if isinstance(found, Nobody):
        print_json({"nobody": found}) if as_json else print_nobody(found)
        return 0 if found.named_by else UNCLEAR
    if isinstance(found, Choices):
        print_json(found) if as_json else print_choices(item, found)
        return UNCLEAR
    if place is None:
        if as_json:
            print_json(found)
        else:
            print_explanation(found, SystemClock().now(), opened.config.zone)
        return 0
    values = _at_place(found, place)
    if as_json:
        print_json({"item": found.item, "summaries": found.summaries, "values": values})
    elif values:
        print_values(found, values, SystemClock().now(), opened.config.zone)
    elif place.strip().casefold() == ADOPTION.casefold() and _measured(found):
        print_only_adoption(found, SystemClock().now(), opened.config.zone)
    else:
        places = once([value.place for value in found.values]) or "none"
        raise click.UsageError(
            f'opsync keeps no "{place}" on {found.item.label}. Places it keeps there: {places}.'
            f"{_unreleased(found, opened.config)}"
        )
    return 0


async def _explain(opened: Opened, text: str) -> Explanation | Choices | Nobody:
    async with open_store(opened) as store:
        explainer = Explainer(opened.config, store)
        found = await explainer.find(text)
        if not found:
            return await explainer.nobody(text)
        if len(found) > 1:
            items = tuple(explainer.item(record) for record in found)
            return Choices(items, await explainer.more(text, found))
        return await explainer.explain(found[0], SystemClock().now())


def once(places: Sequence[str]) -> str:
    """The places in their order, each once; tools differ in how they write the same name."""
    named: dict[str, str] = {}
    for place in places:
        named.setdefault(place.casefold(), place)
    return ", ".join(named.values())


def _unreleased(found: Explanation, config: Config) -> str:
    """Why its release is told nowhere, where a rule asks for that and it is not shipped."""
    told = {rule.name: rule.announce_in for rule in config.rules}
    for summary in found.summaries:
        if summary.released is None and (names := told.get(summary.rule)):
            stands = f": it is {words.shown(found.item.status, 40)}" if found.item.status else ""
            return (
                f"\nIts release is told in {' and '.join(names)} once its own status is "
                f"done{stands}."
            )
    return ""


def _measured(found: Explanation) -> bool:
    """Whether there is something to tell about how much it is used."""
    return any(one.adoption or one.not_measured or one.released for one in found.summaries)


def _at_place(found: Explanation, place: str) -> list[PlaceValue]:
    """The values at a place: by its name, else by what begins with it, or the tool's name."""
    wanted = place.strip().casefold()
    whole = [value for value in found.values if value.place.casefold() == wanted]
    return whole or [
        value
        for value in found.values
        if value.place.casefold().startswith(wanted) or value.tool.casefold() == wanted
    ]
