"""Digests of the configuration: a change of them makes a pass look at more than what changed."""

from __future__ import annotations

import msgspec

from opsync.__about__ import __version__
from opsync.config import Config
from opsync.model import value_hash
from opsync.model.rules import Mode


def reads_as(config: Config) -> str:
    """What decides which names are found in a text, besides the settings of its own instance:
    the instances that recognize their URLs, and the plugins with rules that find links."""
    return value_hash([_instances(config), config.plugins.fingerprint])


def derives_as(config: Config) -> str:
    """What decides links, rollups and texts, besides the records.

    Modes are left out: they decide what is written, and what waits is planned in every pass.
    """
    rules = [msgspec.structs.replace(rule, mode=Mode.observe) for rule in config.rules]
    return value_hash(
        [
            __version__,
            config.zone.key,
            config.links.within_instance,
            rules,
            _instances(config),
            config.plugins.fingerprint,
        ]
    )


def _instances(config: Config) -> list[tuple[str, str, str]]:
    return sorted((i.name, i.connector, i.fingerprint) for i in config.instances.values())
