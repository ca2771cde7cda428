"""`opsync config`: show and check the configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsync.cli.common import (
    Opened,
    config_option,
    json_option,
    open_config,
    open_store,
    print_json,
    run_async,
)
from opsync.cli.exposure import exposed
from opsync.cli.screen import hanging, interactive, show_line, show_rows
from opsync.cli.words import plural
from opsync.config import Config, env_name
from opsync.inert import inert_text

if TYPE_CHECKING:
    from opsync.engine.trying import Trial


@click.group()
def config() -> None:
    """Show and check the configuration."""


@config.command()
@json_option
@config_option
def show(as_json: bool, config_path: Path | None) -> int:
    """Every setting with its value and where it came from. Secrets are never shown.

    With --json: {"path", "settings": [{"key", "value", "from"}]}.
    """
    found = open_config(config_path).config
    rows = list(_settings(found))
    if as_json:
        print_json(
            {
                "path": str(found.path),
                "settings": [{"key": k, "value": v, "from": f} for k, v, f in rows],
            }
        )
    elif interactive():
        for key, value, source in rows:
            said = inert_text(_text(value).replace('","', '", "').replace(',"', ', "'))
            hanging(f"{inert_text(key)} = ", said, (f"   {source}", "dim"))
    else:
        show_rows((), [(key, _text(value), source) for key, value, source in rows])
    return 0


@config.command()
@json_option
@config_option
def check(as_json: bool, config_path: Path | None) -> int:
    """Say everything that is wrong with the configuration, and try the texts that it has.

    Every text is shown as it would be written about an item of the store, without one about made-up
    items. Asks no tool. Exits with 2 when something is wrong. With --json: {"ok", "problems",
    "texts": [{"name", "about", "text", "made_up"}], "warnings"}.
    """
    from opsync.errors import ConfigError

    try:
        opened = open_config(config_path)
    except ConfigError as error:
        if not as_json:
            raise
        print_json({"ok": False, "problems": error.problems, "texts": [], "warnings": []})
        return error.exit_code
    found = opened.config
    trial, on = run_async(_try(opened))
    warnings = [*exposed(found, _raw(found.path)), *trial.warnings]
    if as_json:
        print_json({"ok": True, "problems": [], "texts": trial.texts, "warnings": warnings})
        return 0
    rules = ", ".join(f"{rule.name} ({rule.mode.value})" for rule in found.rules) or "none"
    click.echo(f"{found.path} is right")
    click.echo(f"  connections  {', '.join(found.instances) or 'none'}")
    click.echo(f"  links        {found.links.mode.value}")
    click.echo(f"  rules        {rules}")
    click.echo(f"  texts        {trial.language}, tried on {on}")
    for one in trial.texts:
        about = f" of {inert_text(one.about, 80)}" if one.about else ""
        made_up = " (made up)" if one.made_up else ""
        show_line(f"    {one.name}{about}{made_up}: {one.text}")
    for warning in warnings:
        show_line(f"! {warning}")
    return 0


async def _try(opened: Opened) -> tuple[Trial, str]:
    """All texts, and in words on what they were tried."""
    from opsync.engine.trying import try_texts
    from opsync.errors import NoStore, StoreError
    from opsync.runtime import SystemClock

    config = opened.config
    today = SystemClock().now().astimezone(config.zone).date()
    try:
        async with open_store(opened) as store:
            trial = await try_texts(config, store, today)
    except StoreError as error:
        why = "there is no store yet" if isinstance(error, NoStore) else error.message
        return await try_texts(config, None, today), f"made-up items: {why}"
    initiatives = plural(trial.initiatives, "initiative")
    on = f"{initiatives} and {plural(trial.links, 'link')} of the store"
    return trial, on


@config.command()
@json_option
@config_option
def schema(as_json: bool, config_path: Path | None) -> int:
    """The JSON schema of the configuration file, with and without --json.

    It has the settings of the connectors that are loaded; without a configuration those of all
    that are installed.
    """
    print_json(_schema(config_path))
    return 0


def _settings(found: Config) -> Iterable[tuple[str, object, str]]:
    """Each setting: its key, its value with secrets hidden, and its source."""
    from opsync.config import secrets_folder

    raw = _raw(found.path)
    secrets = secrets_folder(raw, found.path)
    general = found.general.model_dump(mode="json", exclude={"instances"})
    general["wording"] = found.words.settings()
    for key, value in general.items():
        yield from _flat(key, value, raw.get(key), f"OPSYNC_{key.upper()}", secrets)
    blocks = raw.get("instances")
    for name, instance in found.instances.items():
        block = blocks.get(name, {}) if isinstance(blocks, dict) else {}
        for key, value in instance.settings.model_dump(mode="json").items():
            where, variable = f"instances.{name}.{key}", env_name(name, key)
            yield from _flat(where, value, block.get(key), variable, secrets)


def _flat(
    key: str, value: object, given: object, variable: str, secrets: Path | None
) -> Iterable[tuple[str, object, str]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            inner_given = given.get(name) if isinstance(given, dict) else None
            nested = f"{variable}__{name.upper()}"
            yield from _flat(f"{key}.{name}", inner, inner_given, nested, secrets)
    else:
        yield key, value, _source(given, variable, secrets)


def _source(given: object, variable: str, secrets: Path | None) -> str:
    environ = {name.upper() for name in os.environ}
    if variable in environ or any(name.startswith(f"{variable}__") for name in environ):
        return f"environment {variable}"
    for name in (variable, variable.lower()):
        if secrets is not None and (secrets / name).is_file():
            return f"file {secrets / name}"
    return "file" if given is not None else "default"


def _text(value: object) -> str:
    import msgspec

    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _raw(path: Path | None) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(path.read_text(encoding="utf-8")) if path is not None else {}


def _schema(config_path: Path | None) -> dict[str, Any]:
    from importlib.metadata import entry_points

    from opsync.blocks import General
    from opsync.config import find
    from opsync.errors import ConfigError
    from opsync.plugins import load

    try:
        find(config_path)
    except ConfigError:
        if config_path is not None:
            raise
        plugins = load(wanted=[point.name for point in entry_points(group="opsync")])
    else:
        plugins = open_config(config_path).config.plugins
    whole = General.model_json_schema()
    definitions: dict[str, Any] = whole.setdefault("$defs", {})
    choices = []
    for name, class_ in sorted(plugins.connectors.items()):
        block = class_.settings_type.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        for inner, definition in block.pop("$defs", {}).items():
            definitions[f"{name}.{inner}"] = definition
        block["properties"]["connector"] = {"const": name}
        definitions[name] = block
        choices.append({"$ref": f"#/$defs/{name}"})
    if choices:
        whole["properties"]["instances"]["additionalProperties"] = {"anyOf": choices}
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    whole["title"] = "opsync.toml"
    return whole
