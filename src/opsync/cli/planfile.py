"""A plan in a file: for a pipeline that plans in one job and writes in another."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import asdict

from opsync.errors import ConfigError
from opsync.inert import inert_text
from opsync.model import KeptPlan
from opsync.store import EVERY

MADE_BY = "opsync plan --out FILE"


class PlanFile(KeptPlan, frozen=True, kw_only=True):
    """A plan, and the id of the store that it was made with: what it says of what stood before, and
    what it is held against, is in that one."""

    number: Annotated[int, Meta(ge=1, le=EVERY)]
    store: str = ""


def read_plan(path: Path, *, store_id: str, store: Path, instances: Collection[str]) -> KeptPlan:
    """A plan that was written to a file, with the store at `store` that has this id. ConfigError:
    it is none, it is of another store, or of an instance that there is not."""
    found = _decoded(path)
    if not found.store:
        raise ConfigError(
            f"{path} does not say of which store it is: an older opsync made it",
            hint=f"Make it again with: {MADE_BY}",
        )
    if found.store != store_id:
        raise ConfigError(
            f"{path} is a plan of the store {inert_text(found.store, 40)}, "
            f"and {store} is the store {store_id}",
            hint=f"Name the store that it was made with by --store, or make another: {MADE_BY}",
        )
    slots = [change.slot for change in found.changes]
    named = {ref.instance for slot in slots for ref in (slot.target, slot.other)}
    if unknown := sorted(named - set(instances)):
        raise ConfigError(
            f'{path} has changes of "{inert_text(unknown[0], 40)}", which is no connection',
            hint=f"Configured: {', '.join(instances)}.",
        )
    if any(count > 1 for count in Counter(slots).values()):
        raise _no_plan(path, "it has two changes of one value")
    return found


def _decoded(path: Path) -> PlanFile:
    try:
        return msgspec.json.decode(path.read_bytes(), type=PlanFile)
    except OSError as error:
        raise ConfigError(
            f'"{path}" is no plan: {error.strerror}',
            hint=f"Name a plan by its number, or by a file of: {MADE_BY}",
        ) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _no_plan(path, inert_text(str(error), 200)) from None


def _no_plan(path: Path, why: str) -> ConfigError:
    return ConfigError(f"{path} is no plan: {why}", hint=f"It should be a file of: {MADE_BY}")


def write_plan(path: Path, plan: KeptPlan, *, store_id: str) -> None:
    """Write a plan to a file, for `opsync apply FILE`: one that only its owner may read, as it
    holds the values in full, also where another one stood there; whoever reads there meanwhile has
    that one whole. Into a pipe it is written as it is. ConfigError: it cannot be written."""
    whole = PlanFile(**asdict(plan.shown()), store=store_id)
    text = msgspec.json.format(msgspec.json.encode(whole)) + b"\n"
    try:
        if _passes_on(path):
            path.write_bytes(text)
        else:
            _put(path.resolve(), text)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None


def _passes_on(path: Path) -> bool:
    """Whether what is written there goes somewhere else: a pipe, a terminal, or whatever this
    process has open as its output."""
    open_already = str(path.absolute()).startswith(("/dev/std", "/dev/fd/", "/proc/"))
    return open_already or (path.exists() and not path.is_file())


def _put(path: Path, text: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".opsync-plan-", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
