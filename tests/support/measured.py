"""The company whose initiatives are measured."""

from __future__ import annotations

from dataclasses import dataclass

from opsync.model import Adoption
from opsync.sandbox.notion import Page
from tests.support.meter import MeterTool
from tests.support.world import World

DAY_S = 24 * 3_600


@dataclass
class Measured:
    """The company with an analytics tool, in which the checkout is done and used."""

    world: World
    tool: MeterTool

    async def adoption(self, page: Page | None = None) -> Adoption:
        """The first metric of a page."""
        return (await self.world.rollup(page or self.world.checkout)).adoption[0]

    def raises(self, error: BaseException, *requests: str) -> None:
        """Have the tool fail at requests of these sorts."""

        def fail(request: str) -> None:
            if request in requests:
                raise error

        self.tool.before = fail

    def mend(self) -> None:
        self.tool.before = lambda request: None
