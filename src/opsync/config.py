"""The configuration: environment over secret files over TOML, checked as a whole.

Every problem is one line that names the key, says why it is wrong and what would be right; a
secret's value is never in it.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import SettingsError

from opsync.blocks import NAME, NAME_MAX, General
from opsync.contract.settings import ConnectorSettings
from opsync.errors import ConfigError, PluginError
from opsync.languages import ENGLISH, Words
from opsync.model import Preference, value_hash
from opsync.model.rules import (
    LINKS_RULE,
    LinkSettings,
    Mode,
    PersonRule,
    RollupRule,
    TeamRule,
    TwinSettings,
)
from opsync.plugins import Plugins, load

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
        """A digest of all settings; credentials are not in it."""
        return value_hash(msgspec.to_builtins(self.settings.model_dump(mode="json")))

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

    @property
    def store(self) -> Path:
        """The store's path; relative ones start at the configuration's folder."""
        base = self.path.parent if self.path is not None else Path.cwd()
        return base / self.general.store

    @property
    def preference(self) -> Preference:
        """Whose side of a piece of work counts that is in several tools."""
        return Preference(self.twins.prefer, tuple(self.instances))

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which days begin."""
        return ZoneInfo(self.general.time_zone)


def env_name(instance: str, key: str = "") -> str:
    """The environment variable of an instance's setting: OPSYNC_JIRA_MAIN__TOKEN."""
    return f"OPSYNC_{instance.upper().replace('-', '_')}__{key.upper()}"


def find(path: str | Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The configuration file: as given, else OPSYNC_CONFIG, else ./opsync.toml."""
    chosen = Path(path or environ.get("OPSYNC_CONFIG") or FILE)
    if not chosen.is_file():
        raise ConfigError(
            f"no configuration at {chosen}",
            hint="Create one with: opsync init — or look around first with: opsync demo",
        )
    return chosen.absolute()


def read(path: Path, *, mode: Mode | None = None, store: Path | None = None) -> Config:
    """Read and check the configuration at `path`. `mode` overrides every rule's own.

    Raises ConfigError with all problems found, one line each.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    if store is not None:
        raw["store"] = str(store)
    return build(raw, path=path, mode=mode)


def build(raw: dict[str, Any], *, path: Path | None = None, mode: Mode | None = None) -> Config:
    """Check a configuration that is already parsed. Raises ConfigError."""
    if odd := [f"{key}: unknown key" for key in raw if key.startswith("_")]:
        raise _refused(odd)
    secrets_dir = secrets_folder(raw, path)
    try:
        sources: dict[str, Any] = {"_secrets_dir": secrets_dir}
        general = General(**sources, **raw)
    except ValidationError as error:
        raise _refused(_lines(error, General, "")) from None
    except SettingsError as error:
        raise _refused([_not_json(error, "OPSYNC_")]) from None
    problems: list[str] = []
    plugins = _load_plugins(general, path, problems)
    instances: dict[str, Instance] = {}
    for name, block in general.instances.items():
        instance = _instance(name, block, plugins, _named_folder(raw, path), problems)
        if instance is not None:
            instances[name] = instance
    problems.extend(_cross_check(general))
    problems.extend(_stray_env(general))
    if problems:
        raise _refused(problems)
    rules = [block.rule() for block in general.rollup]
    links = general.links.settings()
    if mode is not None:
        rules = [msgspec.structs.replace(rule, mode=mode) for rule in rules]
        links = msgspec.structs.replace(links, mode=mode)
    secrets = tuple(
        secret for instance in instances.values() for secret in _secrets(instance.settings)
    )
    return Config(
        path=path,
        general=general,
        instances=instances,
        plugins=plugins,
        links=links,
        rules=tuple(rules),
        twins=general.twins.settings(),
        teams=tuple(block.rule() for block in general.team),
        people=tuple(block.rule() for block in general.person),
        secrets=secrets,
        words=general.wording.words(),
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
        raise _refused(problems)
    return instance, plugins


def _refused(problems: list[str]) -> ConfigError:
    return ConfigError("; ".join(problems), problems=tuple(problems))


def secrets_folder(raw: Mapping[str, Any], path: Path | None) -> Path | None:
    """Where files with secrets are: OPSYNC_SECRETS_DIR, else `secrets_dir` of the configuration
    that is read from `path`, else /run/secrets; None if there is no such folder."""
    folder = _named_folder(raw, path)
    return folder if folder.is_dir() else None


def _named_folder(raw: Mapping[str, Any], path: Path | None) -> Path:
    """The same, whether it is there or not."""
    named = raw.get("secrets_dir")
    if (given := os.environ.get("OPSYNC_SECRETS_DIR")) is not None:
        return Path(given)
    if isinstance(named, str) and named:
        return (path.parent if path is not None else Path.cwd()) / named
    return SECRETS_DIR


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
        near = "" if connector in names else _did_you_mean(connector, names)
        problems.append(f"{where}.connector: {error}{near}")
        return None
    settings_type = class_.settings_type
    if odd := [f"{where}.{key}: unknown key" for key in block if key.startswith("_")]:
        problems.extend(odd)
        return None
    problems.extend(_unknown_env(name, settings_type))
    try:
        secrets_dir = folder if folder.is_dir() else None
        sources: dict[str, Any] = {"_env_prefix": env_name(name), "_secrets_dir": secrets_dir}
        settings = settings_type(**sources, **block)
    except ValidationError as error:
        kept = f"{folder}" if folder.is_dir() else f"{folder}, which is no folder yet"
        problems.extend(_lines(error, settings_type, where, instance=name, kept=kept))
        return None
    except SettingsError as error:
        problems.append(_not_json(error, env_name(name)))
        return None
    except (TypeError, ConfigError) as error:
        problems.append(f"{where}: {error}")
        return None
    return Instance(name, connector, settings)


def _cross_check(general: General) -> Iterable[str]:
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
        if rule.roots.instance not in general.instances:
            names = list(general.instances)
            yield (
                f'{where}.roots.instance: no instance "{rule.roots.instance}"'
                f"{_did_you_mean(rule.roots.instance, names)}"
            )
    yield from _cross_check_company(general)


def _cross_check_company(general: General) -> Iterable[str]:
    """What teams, people and twins name must be there, and be there once."""
    named = [
        (f"team.{number}.scope.{at}.instance", scope.instance)
        for number, team in enumerate(general.team)
        for at, scope in enumerate(team.scope)
    ]
    named += [(f"twins.prefer.{at}", name) for at, name in enumerate(general.twins.prefer)]
    for where, name in named:
        if name not in general.instances:
            yield f'{where}: no instance "{name}"{_did_you_mean(name, general.instances)}'
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


def _stray_env(general: General) -> Iterable[str]:
    """Variables that look like settings and are none: of no block, or nearly a general setting."""
    prefix = "OPSYNC_"
    blocks = {env_name(name).removesuffix("__"): name for name in general.instances}
    fields = {prefix + name.upper(): name for name in General.model_fields}
    for variable in sorted(os.environ):
        head, nested, _ = variable.upper().partition("__")
        if not head.startswith(prefix) or head in blocks or head in fields:
            continue
        near = difflib.get_close_matches(head, [*blocks, *fields], 1, cutoff=0.8)
        if nested or _misspelt(head, fields):
            mean = f'; did you mean "{near[0]}{nested}…"?' if nested and near else ""
            mean = mean or (f'; did you mean "{near[0]}"?' if near else "")
            yield f"{variable}: unknown environment variable{mean}"


def _misspelt(variable: str, fields: Iterable[str]) -> bool:
    """Whether a variable is a setting's but for a letter or two: others may be anybody's."""
    return bool(difflib.get_close_matches(variable, list(fields), 1, cutoff=0.9))


def _unknown_env(instance: str, settings_type: type[ConnectorSettings]) -> Iterable[str]:
    prefix = env_name(instance)
    for variable in sorted(os.environ):
        if variable.upper().startswith(prefix):
            key = variable[len(prefix) :].lower().split("__")[0]
            if key not in settings_type.model_fields:
                near = _did_you_mean(key, settings_type.model_fields, lambda k: prefix + k.upper())
                yield f"{variable}: unknown environment variable{near}"


def _where_to_set(model: type[BaseModel], key: str, variable: str, kept: str) -> str:
    """Where a setting of an instance may be given; a secret has no place in the configuration."""
    if not variable:
        return ""
    if model.model_fields[key].annotation is SecretStr:
        return f"; set {variable}, or keep it in a file of this name in {kept}"
    return f"; set it here or as {variable}"


def _lines(
    error: ValidationError,
    model: type[BaseModel],
    where: str,
    *,
    instance: str = "",
    kept: str = "",
) -> list[str]:
    lines = []
    found = error.errors(include_url=False, include_input=False, include_context=False)
    for item in found:
        if item["type"] == "too_short" and any(
            len(other["loc"]) > len(item["loc"]) and other["loc"][: len(item["loc"])] == item["loc"]
            for other in found
        ):
            continue  # An item that is there and wrong has a line of its own.
        path = [str(part) for part in item["loc"]]
        key = ".".join([where, *path] if where else path)
        match item["type"]:
            case "extra_forbidden":
                fields = _fields_at(model, path[:-1])
                lines.append(f"{key}: unknown key{_did_you_mean(path[-1], fields)}")
            case "missing":
                name = env_name(instance, path[0]) if instance and len(path) == 1 else ""
                lines.append(f"{key}: missing" + (_where_to_set(model, path[0], name, kept)))
            case _:
                message = item["msg"].removeprefix("Value error, ")
                lines.append(f"{key}: {message[0].lower()}{message[1:]}")
    return lines


def _not_json(error: SettingsError, prefix: str) -> str:
    """The line for a variable or secret file whose value should be a list or a table."""
    found = re.search(r'field "(\w+)"', str(error))
    name = f"{prefix}{found[1].upper()}" if found else prefix
    return f'{name}: must be JSON, as in ["one", "two"] or {{"one": "two"}}'


def _fields_at(model: type[BaseModel], path: Iterable[str]) -> list[str]:
    """The keys that a block has, found by following `path` through the models' annotations."""
    here = model
    for part in path:
        if part.isdigit() or part not in here.model_fields:
            continue
        inner = _model_in(here.model_fields[part].annotation)
        if inner is None:
            return []
        here = inner
    return list(here.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found is not None:
            return found
    return None


def _did_you_mean(word: str, names: Iterable[str], show: Any = str) -> str:
    near = difflib.get_close_matches(word, list(names), 1, cutoff=0.6)
    return f'; did you mean "{show(near[0])}"?' if near else ""


def _secrets(model: BaseModel) -> Iterable[str]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from _secrets(value)
