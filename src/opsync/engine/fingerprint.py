"""Digests of the configuration: a change of them makes a pass look at more than what changed."""

from __future__ import annotations

import msgspec

from opsync.__about__ import __version__
from opsync.config import Config, Instance
from opsync.model import value_hash
from opsync.model.rules import Mode
from opsync.teams import rules_in


def reads_as(config: Config) -> dict[str, str]:
    """By instance what decides its records, besides its own settings.

    That is which names are found in a text: there are other instances to recognize their URLs,
    with what they are told in one word or address, and the plugins, which may have rules that
    find links. And what its teams mean: a changed team is read again where it works.
    """
    names = [
        sorted((i.name, i.connector, _words(i)) for i in config.instances.values()),
        config.plugins.fingerprint,
        config.twins.footers,
    ]
    return {name: value_hash([*names, rules_in(name, config.teams)]) for name in config.instances}


def derives_as(config: Config) -> str:
    """What decides links, rollups and texts, besides the records.

    Modes are left out: they decide what is written, and under others what waits is planned again.
    """
    rules = [msgspec.structs.replace(rule, mode=Mode.observe) for rule in config.rules]
    return value_hash(
        [
            __version__,
            config.zone.key,
            config.links.within_instance,
            config.preference,
            rules,
            config.words.fingerprint,
            config.teams,
            _instances(config),
            config.plugins.fingerprint,
        ]
    )


def modes_as(config: Config) -> str:
    """The modes in force: what waits for a word is planned again under others."""
    return value_hash([[(r.name, r.mode) for r in config.rules], config.links.mode])


def config_digest(config: Config) -> str:
    """What decides what a pass does. Where one mode holds for all rules, theirs do not matter."""
    modes = [] if config.forced else [(r.name, r.mode) for r in config.rules] + [config.links.mode]
    return value_hash(
        msgspec.to_builtins(
            [derives_as(config), sorted(reads_as(config).items()), config.limits, modes]
        )
    )


def _instances(config: Config) -> list[tuple[str, str, str]]:
    return sorted((i.name, i.connector, i.fingerprint) for i in config.instances.values())


def _words(instance: Instance) -> list[tuple[str, str]]:
    beside = {"expose", *instance.settings.watched}
    settings: dict[str, object] = instance.settings.model_dump(mode="json", exclude=beside)
    return sorted((key, value) for key, value in settings.items() if isinstance(value, str))
