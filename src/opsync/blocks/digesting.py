"""`[service.digest]` and `[service.health_page]`: what the service tells by itself, and where."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from opsync.blocks.base import Block
from opsync.blocks.watching import Address

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class DigestBlock(Block):
    """`[service.digest]`: the digest of the week, once a week."""

    slack_webhook: Address | None = None
    """Where it is posted. A secret: OPSYNC_SERVICE__DIGEST__SLACK_WEBHOOK."""

    notion_page: str = ""
    """The page on which it stands, below opsync's own heading: its link. "": on none."""

    notion: str = ""
    """The connection that writes the page; "" where only one can."""

    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = (
        "monday"
    )
    """The day on which it is sent."""

    hour: Annotated[int, Field(ge=0, le=23)] = 8
    """The hour of that day, in `time_zone`."""

    teams: tuple[str, ...] = ()
    """A digest for each of these teams; none: one of everything."""


class HealthPageBlock(Block):
    """`[service.health_page]`: a page that says whether opsync can do its work."""

    notion_page: str = ""
    """The page on which it stands, below opsync's own heading: its link. "": on none. It is written
    at most once a day, and only when it says something else."""

    notion: str = ""
    """The connection that writes the page; "" where only one can."""
