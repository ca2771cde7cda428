"""How the company with private work measures what it has shipped."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from opsync import Reading
from tests.support.canaries import USAGE
from tests.support.meter import add_meter, days_ago, measures, used
from tests.support.world import World


def measure(world: World, flag: str, unknown: str) -> None:
    """Give the company an analytics tool that has `flag`, and "meadow", and nothing `unknown`."""
    tool = add_meter(world, USAGE)
    tool.history.flags = {flag: used(20), "meadow": used(20)}

    def told(reading: Reading) -> Iterable[Reading]:
        if reading.metric.name == unknown:
            said, near = f"nothing is called {unknown}", (f"{unknown}-2",)
            reading = msgspec.structs.replace(reading, message=said, nearest=near)
        return (reading,)

    tool.spoil = told
    by_flag = {"instance": USAGE, "flag_from": "Flag"}
    measures(world, by_flag, announce_in=[USAGE], released="Released")


def shipped(world: World, flag: str) -> dict[str, object]:
    """The cells of an initiative that was shipped, with the flag by which it is measured."""
    return {"Status": "Done", "Flag": flag, "Released": days_ago(world, 20)}
