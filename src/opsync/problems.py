"""What is wrong with a configuration, one line each: the key, why, and what would be right.

A secret's value is in none of them.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import SettingsError

from opsync.blocks import General
from opsync.contract.settings import ConnectorSettings, secret_fields
from opsync.errors import ConfigError
from opsync.inert import inert_text
from opsync.redact import Redactor


def env_name(instance: str, key: str = "") -> str:
    """The environment variable of an instance's setting: OPSYNC_JIRA_MAIN__TOKEN."""
    return f"OPSYNC_{instance.upper().replace('-', '_')}__{key.upper()}"


def refused(problems: list[str]) -> ConfigError:
    return ConfigError("; ".join(problems), problems=tuple(problems))


def by_name(problems: Iterable[str], raw: Mapping[str, Any]) -> list[str]:
    """The same lines with rules, teams and people by their names, where each has its own, instead
    of by their numbers: rollup.roadmap.mode."""

    def called(match: re.Match[str]) -> str:
        block, number = match[1], int(match[2])
        listed = raw.get(block)
        names = [
            one.get("name") if isinstance(one, dict) else None
            for one in (listed if isinstance(listed, list | tuple) else ())
        ]
        name = names[number] if number < len(names) else None
        if not isinstance(name, str) or not name.strip() or names.count(name) > 1:
            return match[0]
        shown = inert_text(name, 60)
        return f"{block}.{shown}" if re.fullmatch(r"[\w-]+", shown) else f'{block}."{shown}"'

    return [re.sub(r"^(rollup|team|person)\.(\d+)", called, line) for line in problems]


def stray_env(general: General) -> Iterable[str]:
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


def unknown_env(instance: str, settings_type: type[ConnectorSettings]) -> Iterable[str]:
    prefix = env_name(instance)
    for variable in sorted(os.environ):
        if variable.upper().startswith(prefix):
            key = variable[len(prefix) :].lower().split("__")[0]
            if key not in settings_type.model_fields:
                near = did_you_mean(key, settings_type.model_fields, lambda k: prefix + k.upper())
                yield f"{variable}: unknown environment variable{near}"


def given_secrets(
    instance: str, block: Mapping[str, Any], settings_type: type[ConnectorSettings], folder: Path
) -> Redactor:
    """What hides the secrets that were given for an instance, wherever they stand, in text about
    its settings: a connector's own check may quote what it refuses."""
    redactor = Redactor()
    around = {name.upper(): value for name, value in os.environ.items()}
    for key in secret_fields(settings_type):
        name = env_name(instance, key)
        given = [block.get(key), around.get(name)]
        for file in (folder / name, folder / name.lower()):
            with suppress(OSError, UnicodeDecodeError):
                given.append(file.read_text(encoding="utf-8"))
        for value in given:
            if isinstance(value, str):
                redactor.add(value)
    return redactor


def _where_to_set(model: type[BaseModel], key: str, variable: str, kept: str) -> str:
    """Where a setting of an instance may be given; a secret has no place in the configuration."""
    if not variable:
        return ""
    if model.model_fields[key].annotation is SecretStr:
        return f"; set {variable}, or keep it in a file of this name in {kept}"
    return f"; set it here or as {variable}"


def lines_of(
    error: ValidationError,
    model: type[BaseModel],
    where: str,
    *,
    instance: str = "",
    kept: str = "",
    given: Mapping[str, Any] | None = None,
    file: Path | None = None,
) -> list[str]:
    """One line for each thing that is wrong. Of an unknown key the `file` is told, if it is among
    what is `given` there and not in a variable."""
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
                there = file if _stands_in(given, item["loc"]) else None
                lines.append(unknown_key(key, there) + did_you_mean(path[-1], fields))
            case "missing":
                name = env_name(instance, path[0]) if instance and len(path) == 1 else ""
                lines.append(f"{key}: missing" + (_where_to_set(model, path[0], name, kept)))
            case "tuple_type" | "list_type":
                lines.append(f'{key}: must be a list, as in ["one", "two"]')
            case "string_type":
                lines.append(f'{key}: must be a text in quotes, as in "one"')
            case _:
                message = item["msg"].removeprefix("Value error, ")
                lines.append(f"{key}: {message[0].lower()}{message[1:]}")
    return lines


def unknown_key(key: str, file: Path | None) -> str:
    """The line for a key that is no setting, in the `file` where it stands."""
    return f"{key}: unknown key" + (f" in {file}" if file is not None else "")


def _stands_in(given: Any, keys: Sequence[int | str]) -> bool:
    for key in keys:
        try:
            given = given[key]
        except (LookupError, TypeError):
            return False
    return True


def unusable(error: SettingsError, prefix: str) -> str:
    """The line for a secret file that cannot be read, or for a variable or secret file whose value
    should be a list or a table."""
    found = re.search(r'field "(\w+)"', str(error))
    name = f"{prefix}{found[1].upper()}" if found else prefix
    match error.__cause__:
        case OSError() as cause:
            why = f"{cause.filename} cannot be read: {cause.strerror}"
            return f"{name}: {why}; let whoever runs opsync read it"
        case UnicodeDecodeError():
            return f"{name}: its file is no text in UTF-8; put the secret into it, and nothing else"
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


def did_you_mean(word: str, names: Iterable[str], show: Any = str) -> str:
    near = difflib.get_close_matches(word, list(names), 1, cutoff=0.6)
    return f'; did you mean "{show(near[0])}"?' if near else ""
