"""The configuration: environment over secret files over TOML, checked as a whole.

Every problem is one line that names the key, says why it is wrong and what would be right; a
secret's value is never in it.
"""

from __future__ import annotations

import base64
import itertools
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import SettingsError

from opsync.blocks import NAME, NAME_MAX, General
from opsync.blocks.service import AccessBlock
from opsync.contending import same_place
from opsync.contract.settings import ConnectorSettings
from opsync.crosscheck import cross_check
from opsync.errors import ConfigError, PluginError
from opsync.languages import ENGLISH, Words
from opsync.model import Limits, Preference, value_hash
from opsync.model.rules import (
    LinkSettings,
    Mode,
    PersonRule,
    RollupRule,
    TeamRule,
    TwinSettings,
    modes_of,
)
from opsync.plugins import Plugins, load
from opsync.problems import (
    by_name,
    did_you_mean,
    env_name,
    given_secrets,
    lines_of,
    refused,
    stray_env,
    unknown_env,
    unknown_key,
    unusable,
)
from opsync.redact import secret_parts

__all__ = [
    "FILE",
    "SECRETS_DIR",
    "Config",
    "Instance",
    "build",
    "build_instance",
    "env_name",
    "find",
    "find_store",
    "parsed",
    "read",
    "secrets_folder",
]

FILE = "opsync.toml"
SECRETS_DIR = Path("/run/secrets")


@dataclass(frozen=True, slots=True)
class Instance:
    """One configured connector."""

    name: str
    connector: str
    settings: ConnectorSettings

    @property
    def fingerprint(self) -> str:
        """A digest of all settings but those that only raise alarms; no credential is in it."""
        settings = self.settings.model_dump(mode="json", exclude=set(self.settings.watched))
        return value_hash(msgspec.to_builtins(settings))

    @property
    def reads_as(self) -> str:
        """A digest of those that decide what its records are: another one has all read anew."""
        settings = self.settings.model_dump(mode="json", exclude=set(self.settings.not_read))
        return value_hash(msgspec.to_builtins(settings))


@dataclass(frozen=True, slots=True)
class Config:
    """A checked configuration, with the plugins it names loaded."""

    path: Path | None
    general: General
    instances: dict[str, Instance]
    plugins: Plugins
    links: LinkSettings
    rules: tuple[RollupRule, ...]
    twins: TwinSettings
    teams: tuple[TeamRule, ...]
    people: tuple[PersonRule, ...]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    words: Words = field(default=ENGLISH, repr=False)
    """The texts that are written into other tools, ready to be filled in."""
    limits: Limits = field(default_factory=Limits)
    forced: Mode | None = None
    """The mode that holds for this run whatever the rules say; None: theirs do."""
    oversteps: bool = False
    """Whether that goes further than a rule's own."""

    @property
    def store(self) -> Path:
        """The store's path; a relative one of the settings starts at the configuration's folder."""
        base = self.path.parent if self.path is not None else Path.cwd()
        return base / self.general.store

    @property
    def preference(self) -> Preference:
        """Whose side of a piece of work counts that is in several tools."""
        return Preference(self.twins.prefer, tuple(self.instances))

    @property
    def modes(self) -> dict[str, Mode]:
        """The mode of each rule by its name, and that of links by theirs."""
        return modes_of(self.rules, self.links)

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which days begin."""
        return ZoneInfo(self.general.time_zone)


def _chosen(path: str | Path | None, environ: Mapping[str, str]) -> Path:
    return Path(path or environ.get("OPSYNC_CONFIG") or FILE)


def find(path: str | Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The configuration file: as given, else OPSYNC_CONFIG, else ./opsync.toml."""
    chosen = _chosen(path, environ)
    try:
        is_file, is_folder = chosen.is_file(), chosen.is_dir()
    except OSError as error:
        raise _unreadable(chosen, error) from None
    if is_folder:
        raise ConfigError(
            f"{chosen} is a folder, and no configuration",
            hint=f"Name the file in it, as in {chosen / FILE}.",
        )
    if not is_file:
        raise ConfigError(
            f"no configuration at {chosen}",
            hint="Create one with: opsync init — or look around first with: opsync demo",
        )
    return chosen.absolute()


def find_store(
    path: str | Path | None, store: Path | None = None, environ: Mapping[str, str] = os.environ
) -> Path:
    """Where the store is that a configuration names, whatever else is wrong with it: as `read`
    finds it, where it stands on a line of its own."""
    if store is not None:
        return store.absolute()
    file = _chosen(path, environ).absolute()
    named = environ.get("OPSYNC_STORE") or _store_line(file)
    return file.parent / (named or General.model_fields["store"].default)


def _store_line(file: Path) -> str:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in itertools.takewhile(lambda one: not one.startswith("["), lines):
        with suppress(tomllib.TOMLDecodeError):
            if isinstance(named := tomllib.loads(line).get("store"), str):
                return named
    return ""


def read(path: Path, *, mode: Mode | None = None, store: Path | None = None) -> Config:
    """Read and check the configuration at `path`. `mode` overrides every rule's own, and `store`,
    from the current folder on, the one that is set.

    Raises ConfigError with all problems found, one line each.
    """
    config = build(parsed(path), path=path, mode=mode)
    if store is None:
        return config
    # Not among the settings, over which the environment wins: nothing is nearer than what is typed.
    general = config.general.model_copy(update={"store": store.absolute()})
    return replace(config, general=general)


def parsed(path: Path) -> dict[str, Any]:
    """What stands in the configuration at `path`, unchecked. ConfigError: it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{path}: not valid TOML: {error}",
            hint="Mend it there, then try it with: opsync config check",
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: not valid TOML: byte {error.start + 1} is no UTF-8",
            hint="Save it as text in UTF-8, or name another file with --config.",
        ) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{path} cannot be read: {error.strerror}",
        hint="Let whoever runs opsync read it, or name another file with --config.",
    )


def build(raw: dict[str, Any], *, path: Path | None = None, mode: Mode | None = None) -> Config:
    """Check a configuration that is already parsed. Raises ConfigError."""
    if odd := [unknown_key(key, path) for key in raw if key.startswith("_")]:
        raise refused(odd)
    secrets_dir = secrets_folder(raw, path)
    given = raw
    raw = _with_secret_files(raw, secrets_dir)
    try:
        sources: dict[str, Any] = {"_secrets_dir": secrets_dir}
        general = General(**sources, **raw)
    except ValidationError as error:
        lines = lines_of(error, General, "", given=given, file=path)
        raise refused(by_name(lines, raw)) from None
    except SettingsError as error:
        raise refused([unusable(error, "OPSYNC_")]) from None
    problems: list[str] = []
    plugins = _load_plugins(general, path, problems)
    instances: dict[str, Instance] = {}
    for name, block in general.instances.items():
        if made := _instance(name, block, plugins, _named_folder(raw, path), problems, path):
            instances[name] = made
    problems.extend(cross_check(general, plugins))
    classes = {name: plugins.connectors.get(one.connector) for name, one in instances.items()}
    settings = {name: one.settings for name, one in instances.items()}
    problems.extend(same_place(settings, classes, general.rollup))
    problems.extend(stray_env(general))
    if problems:
        raise refused(by_name(problems, raw))
    secrets = tuple(secret for block in settings.values() for secret in _secrets(block))
    told = (*_secrets(general.alerts), *_secrets(general.service.digest))
    addresses = (part for each in told for part in secret_parts(each))
    config = Config(
        path=path,
        general=general,
        instances=instances,
        plugins=plugins,
        links=general.links.settings(),
        rules=tuple(block.rule() for block in general.rollup),
        twins=general.twins.settings(),
        teams=tuple(block.rule() for block in general.team),
        people=tuple(block.rule() for block in general.person),
        secrets=(*secrets, *addresses, *_sign_ins(general.service.access)),
        words=general.wording.words(),
        limits=general.limits.settings(),
    )
    return config if mode is None else in_mode(config, mode)


def in_mode(config: Config, mode: Mode) -> Config:
    """The same with `mode` in place of every rule's own."""
    return replace(
        config,
        rules=tuple(msgspec.structs.replace(rule, mode=mode) for rule in config.rules),
        links=msgspec.structs.replace(config.links, mode=mode),
        forced=mode,
        oversteps=any(mode.daring > own.daring for own in config.modes.values()),
    )


def build_instance(name: str, block: dict[str, Any]) -> tuple[Instance, Plugins]:
    """Check one connection's block by itself, before the rest of a configuration is there.

    Its connector is one of the installed ones. Raises ConfigError.
    """
    problems: list[str] = []
    connector = block.get("connector")
    plugins = load(wanted=[connector] if isinstance(connector, str) else [])
    instance = _instance(name, block, plugins, _named_folder({}, None), problems)
    if instance is None:
        raise refused(problems)
    return instance, plugins


def secrets_folder(raw: Mapping[str, Any], path: Path | None) -> Path | None:
    """Where files with secrets are: OPSYNC_SECRETS_DIR, else `secrets_dir` of the configuration
    that is read from `path`, else /run/secrets; None if there is no such folder."""
    folder = _named_folder(raw, path)
    return folder if _is_there(folder) else None


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError as error:
        raise _no_secrets(folder, error) from None


def _named_folder(raw: Mapping[str, Any], path: Path | None) -> Path:
    """The same, whether it is there or not."""
    named = raw.get("secrets_dir")
    if (given := os.environ.get("OPSYNC_SECRETS_DIR")) is not None:
        return Path(given)
    if isinstance(named, str) and named:
        return (path.parent if path is not None else Path.cwd()) / named
    return SECRETS_DIR


_KEPT_APART = (
    ("alerts", "webhook"),
    ("alerts", "alive"),
    ("service", "access", "token"),
    ("service", "access", "read_token"),
    ("service", "digest", "slack_webhook"),
)
"""The secrets of the general blocks, each of which may have a file of its own."""
_PASSWORD_FILE = re.compile(r"(?i)opsync_service__access__users__(.+)__password")


def _with_secret_files(raw: dict[str, Any], secrets_dir: Path | None) -> dict[str, Any]:
    """`raw` with the secrets of general blocks that stand in files; the environment wins."""
    if secrets_dir is None:
        return raw
    there = _files_in(secrets_dir)
    for keys in _KEPT_APART:
        name = "OPSYNC_" + "__".join(keys).upper()
        for file in (secrets_dir / name, secrets_dir / name.lower()):
            if file in there and (text := _text_of(file)) is not None:
                raw = _with_value(raw, keys, text)
    for file in there:
        found = _PASSWORD_FILE.fullmatch(file.name)
        if found and (text := _text_of(file)) is not None:
            user = ("service", "access", "users", found[1].lower(), "password")
            raw = _with_value(raw, user, text)
    return raw


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise _no_secrets(folder, error) from None


def _no_secrets(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"{folder} cannot be read: {error.strerror}",
        hint="Let whoever runs opsync list this folder of secrets, or name another one.",
    )


def _text_of(file: Path) -> str | None:
    """What stands in a file of secrets; None for what is no file."""
    try:
        return file.read_text(encoding="utf-8") if file.is_file() else None
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}",
            hint="Let whoever runs opsync read this secret, or take it out of the folder.",
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            f"{file} is no text in UTF-8", hint="Put the secret into it, and nothing else."
        ) from None


def _with_value(raw: dict[str, Any], keys: Sequence[str], value: str) -> dict[str, Any]:
    """A copy of `raw` with `value` at a path of tables; as it is where one of them is no table."""
    head, *rest = keys
    if not rest:
        return {**raw, head: value}
    inner = raw.get(head, {})
    return {**raw, head: _with_value(inner, rest, value)} if isinstance(inner, dict) else raw


def _load_plugins(general: General, path: Path | None, problems: list[str]) -> Plugins:
    folder = general.plugins_dir
    if folder is not None and path is not None:
        folder = path.parent / folder
    wanted = {
        block["connector"]
        for block in general.instances.values()
        if isinstance(block.get("connector"), str)
    }
    try:
        return load(wanted=wanted, allow=general.allow, plugins_dir=folder)
    except PluginError as error:
        problems.append(str(error))
        return load(wanted=wanted, allow=general.allow)


def _instance(
    name: str,
    block: dict[str, Any],
    plugins: Plugins,
    folder: Path,
    problems: list[str],
    file: Path | None = None,
) -> Instance | None:
    where = f"instances.{name}"
    if len(name) > NAME_MAX or not re.fullmatch(NAME, name):
        problems.append(
            f"{where}: a name is lower-case letters and digits, with single dashes between them, "
            f"at most {NAME_MAX} in all"
        )
        return None
    connector = block.get("connector")
    if not isinstance(connector, str):
        known = ", ".join(sorted(info.name for info in plugins.infos))
        problems.append(f"{where}.connector: missing; one of: {known}")
        return None
    try:
        class_ = plugins.connector(connector)
    except PluginError as error:
        names = sorted({*plugins.connectors, *(info.name for info in plugins.infos)})
        near = "" if connector in names else did_you_mean(connector, names)
        problems.append(f"{where}.connector: {error}{near}")
        return None
    settings_type = class_.settings_type
    if odd := [unknown_key(f"{where}.{key}", file) for key in block if key.startswith("_")]:
        problems.extend(odd)
        return None
    problems.extend(unknown_env(name, settings_type))
    try:
        secrets_dir = folder if _is_there(folder) else None
        sources: dict[str, Any] = {"_env_prefix": env_name(name), "_secrets_dir": secrets_dir}
        settings = settings_type(**sources, **block)
    except ValidationError as error:
        kept = f"{folder}" if folder.is_dir() else f"{folder}, which is no folder yet"
        lines = lines_of(
            error, settings_type, where, instance=name, kept=kept, given=block, file=file
        )
        problems.extend(map(given_secrets(name, block, settings_type, folder).clean, lines))
        return None
    except SettingsError as error:
        problems.append(unusable(error, env_name(name)))
        return None
    except (TypeError, ConfigError) as error:
        clean = given_secrets(name, block, settings_type, folder).clean
        problems.append(clean(f"{where}: {error}"))
        return None
    return Instance(name, connector, settings)


def _sign_ins(access: AccessBlock) -> Iterable[str]:
    """What people sign in to the service with, also as a browser sends it (RFC 7617)."""
    yield from _secrets(access)
    for name, user in access.users.items():
        pair = f"{name}:{user.password.get_secret_value()}"
        yield base64.b64encode(pair.encode()).decode()


def _secrets(value: object) -> Iterable[str]:
    """Every secret in a block, also in its lists and tables."""
    match value:
        case SecretStr():
            yield value.get_secret_value()
        case BaseModel():
            for name in type(value).model_fields:
                yield from _secrets(getattr(value, name))
        case Mapping():
            for each in value.values():
                yield from _secrets(each)
        case list() | tuple() | set() | frozenset():
            for each in value:
                yield from _secrets(each)
