"""What of the configuration others may come by: secrets in the file, and files that are open."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from opsync.config import SECRETS_DIR, Config, env_name, secrets_folder
from opsync.contract.settings import secret_fields


def exposed(found: Config, raw: Mapping[str, Any]) -> Iterable[str]:
    """One line for each thing that others may read or change, and what mends it; `raw` is the
    file as it stands."""
    told = [*_in_clear(found, raw)]
    yield from told
    path = found.path
    if told and path is not None and _mode(path) & stat.S_IROTH:
        yield f"everybody on this machine may read {path} with its secrets: chmod 600 {path}"
    folder = secrets_folder(raw, path)
    # An orchestrator makes its files in there readable, in a container of their own.
    if folder is not None and folder != SECRETS_DIR and _mode(folder) & stat.S_IXOTH:
        for file in sorted(folder.iterdir()):
            if file.name.lower().startswith("opsync_") and _mode(file) & stat.S_IROTH:
                yield f"everybody on this machine may read {file}: chmod 600 {file}"
    drop_ins = found.general.plugins_dir
    if drop_ins is not None and path is not None:
        drop_ins = path.parent / drop_ins
        if _mode(drop_ins) & stat.S_IWOTH:
            yield (
                f"everybody on this machine may put code into {drop_ins}, which opsync runs: "
                f"chmod o-w {drop_ins}"
            )


def _in_clear(found: Config, raw: Mapping[str, Any]) -> Iterable[str]:
    """Secrets that stand in the file, where a copy of it takes them along."""
    for key in ("webhook", "alive"):
        if key in raw.get("alerts", {}):
            yield (
                f"alerts.{key} stands in the configuration, and whoever knows it may send there: "
                f"keep it in OPSYNC_ALERTS__{key.upper()}"
            )
    if "slack_webhook" in raw.get("service", {}).get("digest", {}):
        yield (
            "service.digest.slack_webhook stands in the configuration, and whoever knows it may "
            "send there: keep it in OPSYNC_SERVICE__DIGEST__SLACK_WEBHOOK"
        )
    for keys in _sign_ins(raw):
        yield (
            f"{'.'.join(keys)} stands in the configuration, and whoever knows it may sign in: "
            f"keep it in OPSYNC_{'__'.join(keys).upper()}"
        )
    blocks = raw.get("instances", {})
    for name, instance in found.instances.items():
        for key in secret_fields(type(instance.settings)):
            if key in blocks.get(name, {}):
                yield (
                    f"instances.{name}.{key} stands in the configuration: keep it in "
                    f"{env_name(name, key)}, or in a file of this name in the secrets folder"
                )


def _sign_ins(raw: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    """The keys of the tokens and passwords of `[service.access]` that stand in the file."""
    access = raw.get("service", {}).get("access", {})
    yield from (("service", "access", key) for key in ("token", "read_token") if key in access)
    for name, user in access.get("users", {}).items():
        if "password" in user:
            yield ("service", "access", "users", name, "password")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0
