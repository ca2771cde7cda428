"""`[watch]` and `[alerts]`: when what was read is too old, and who hears of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from opsync.blocks.base import Block
from opsync.contract.settings import Duration
from opsync.errors import ConfigError
from opsync.http import check_base_url


def _address(value: SecretStr) -> SecretStr:
    """What may be asked, path and query included; whatever is wrong, the address is not told."""
    bare = value.get_secret_value().strip()
    try:
        check_base_url(bare.partition("?")[0])
    except ConfigError as error:
        raise ValueError(f"no address to send to: {error.hint or 'write https://host/path'}") from (
            None
        )
    if urlsplit(bare).fragment:
        raise ValueError('no address to send to: leave off what follows "#"')
    return SecretStr(bare)


Address = Annotated[SecretStr, AfterValidator(_address)]
"""An address that is a secret: whoever knows it may send there."""


class WatchBlock(Block):
    """`[watch]`: how old what was read may be before opsync calls it out of date."""

    fresh_within: Duration = timedelta(hours=2)
    """How long ago each connection may have been read to its end: "30m", "2h", "1d". An instance
    may have its own."""

    measured_within: Duration = timedelta(days=1)
    """The same of what is measured, which changes once a day."""

    set_aside_within: Duration = timedelta(days=1)
    """How long an item may be set aside because it cannot be read, or a value because it cannot be
    written. By then it was tried again five times."""

    set_aside_most: Annotated[int, Field(ge=0)] = 20
    """So many may be set aside in one connection, however short."""


class AlertsBlock(Block):
    """`[alerts]`: where opsync tells of what `opsync status` shows in red."""

    webhook: Address | None = None
    """Where a message is posted after a run, when something went wrong, changed or is over."""

    style: Literal["json", "slack"] = "json"
    """What is posted: all of it for programs, or a text as Slack takes it."""

    alive: Address | None = None
    """What is asked after each good run, so that a service can tell when none comes any more."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.webhook is not None and self.webhook == self.alive:
            raise ValueError("webhook and alive are the same address: use two")
        return self
