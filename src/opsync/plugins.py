"""Finding, isolating and checking plugins: the only user of pluggy's manager."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

import pluggy

from opsync.contract import CONTRACT
from opsync.contract.census import Census
from opsync.contract.connector import Connector, Measurable, Readable, Writable
from opsync.contract.examining import Diagnosable
from opsync.contract.hookspecs import NAMESPACE, HealthRule, LinkRule, OpsyncHooks
from opsync.contract.settings import ConnectorSettings
from opsync.contract.webhooks import WebhookSource
from opsync.errors import PluginError
from opsync.log import get_logger as _log
from opsync.model import Change, Outcome, value_hash

if TYPE_CHECKING:
    from opsync.report import PassReport

CAPABILITIES = {
    "reads": Readable,
    "writes": Writable,
    "measures": Measurable,
    "webhooks": WebhookSource,
    "doctor": Diagnosable,
}


OWN_DISTRIBUTION = "opsync"
"""The distribution whose connectors are bundled: their names are theirs alone."""


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin as `opsync plugins` shows it. `why` says why it failed or was not loaded."""

    name: str
    origin: str
    state: Literal["loaded", "not loaded", "failed"]
    contract: int | None = None
    connectors: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    why: str = ""


@dataclass
class Plugins:
    """All plugins that were found, and the connectors and hooks of those that loaded."""

    manager: pluggy.PluginManager
    infos: list[PluginInfo] = field(default_factory=list)
    connectors: dict[str, type[Connector[Any]]] = field(default_factory=dict)
    link_rules: list[LinkRule] = field(default_factory=list)
    """The link rules of all plugins."""
    health_rules: list[HealthRule] = field(default_factory=list)
    """The health rules of all plugins, in the order in which they are asked."""
    fingerprint: str = ""
    """A digest of what was loaded: of the versions of plugins, and of the code of drop-ins."""

    def connector(self, name: str) -> type[Connector[Any]]:
        """The connector class called `name`. Raises PluginError that says why it is not there."""
        found = self.connectors.get(name)
        if found is not None:
            return found
        failed = [info for info in self.infos if info.state == "failed" and info.name == name]
        if failed:
            raise PluginError(f'connector "{name}": its plugin failed to load: {failed[0].why}')
        others = "; ".join(f"{i.name}: {i.why}" for i in self.infos if i.state == "failed")
        also = f" (plugins that failed to load: {others})" if others else ""
        raise PluginError(f'unknown connector "{name}"{also}')

    def veto(self, change: Change) -> str | None:
        """Why a plugin does not want this change; None if none objects.

        A plugin that fails counts as objecting: what it would have said is not known.
        """
        try:
            why: str | None = self.manager.hook.veto_change(change=change)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's fault stays its own
            _log().warning("hook.failed", hook="veto_change", error=_why(error))
            return f"a plugin failed: {_why(error)}"
        return why

    def applied(self, change: Change, outcome: Outcome) -> None:
        """Tell the plugins of a write that was tried."""
        self._tell("change_applied", change=change, outcome=outcome)

    def finished(self, report: PassReport) -> None:
        """Tell the plugins of the end of a pass. Each may do with the report what it likes."""
        self._tell("pass_finished", report=report.apart())

    def _tell(self, hook: str, **values: object) -> None:
        try:
            getattr(self.manager.hook, hook)(**values)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's fault stays its own
            _log().warning("hook.failed", hook=hook, error=_why(error))


def load(
    *, wanted: Iterable[str], allow: Iterable[str] = (), plugins_dir: Path | None = None
) -> Plugins:
    """Load the plugins that the configuration names.

    Entry points of the group `opsync` are imported only if an instance wants the connector of
    that name or `allow` lists it; the others are listed. Drop-ins are the Python files and
    packages directly in `plugins_dir`. Each is loaded by itself: one that fails stays visible
    and harms no other. The names of bundled connectors, loaded or not, are refused to all others.
    """
    manager = pluggy.PluginManager(NAMESPACE)
    manager.add_hookspecs(OpsyncHooks)
    plugins = Plugins(manager)
    named = {*wanted, *allow}
    installed = _installed()
    bundled = frozenset(point.name for point, origin in installed if _is_bundled(origin))
    for point, origin in installed:
        taken = frozenset[str]() if _is_bundled(origin) else bundled
        if point.name in taken:
            why = f'"{point.name}" is the name of a bundled connector'
            plugins.infos.append(PluginInfo(point.name, origin, "failed", why=why))
        elif point.name in named:
            _load_one(plugins, point.name, origin, point.load, taken)
        else:
            why = "no instance uses it, and `allow` does not list it"
            plugins.infos.append(PluginInfo(point.name, origin, "not loaded", why=why))
    code = []
    for path in _drop_ins(plugins_dir):
        code.append(_code(path))
        _load_one(
            plugins, path.stem, f"drop-in {path.name}", lambda path=path: _import(path), bundled
        )
    loaded = [(one.name, one.origin) for one in plugins.infos if one.state == "loaded"]
    plugins.fingerprint = value_hash([loaded, code])
    return plugins


@cache
def _installed() -> tuple[tuple[EntryPoint, str], ...]:
    """The entry points of all distributions, and where each is from; looked for once a process."""
    points = sorted(entry_points(group=NAMESPACE), key=lambda p: p.name)
    return tuple((point, _origin(point)) for point in points)


def _origin(point: EntryPoint) -> str:
    if point.dist is None:
        return point.value
    metadata = point.dist.metadata
    return f"{metadata['Name']} {metadata['Version']}"


def _is_bundled(origin: str) -> bool:
    return origin.partition(" ")[0] == OWN_DISTRIBUTION


def _drop_ins(folder: Path | None) -> list[Path]:
    if folder is None:
        return []
    if not folder.is_dir():
        raise PluginError(f"plugins_dir: {folder} is no folder")
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(("_", "."))
        and (path.suffix == ".py" or (path / "__init__.py").is_file())
    )


def _code(path: Path) -> list[str]:
    """Digests of a drop-in's files."""
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [blake2b(file.read_bytes(), digest_size=16).hexdigest() for file in files]


def _import(path: Path) -> ModuleType:
    name = f"opsync_dropin_{path.stem}"
    start = path if path.suffix == ".py" else path / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, start)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _load_one(
    plugins: Plugins, name: str, origin: str, import_: Any, taken: frozenset[str]
) -> None:
    manager = plugins.manager
    module: object | None = None
    try:
        module = import_()
        manager.register(module, name=f"{origin}:{name}")
        manager.check_pending()
        found: list[type[Connector[Any]]] = _answers(manager, module, "register_connectors")
        links = _rules(_answers(manager, module, "register_link_rules"))
        health = _rules(_answers(manager, module, "register_rollups"))
        known = dict(plugins.connectors)
        for connector in found:
            _check(connector, known, taken)
            known[connector.name] = connector
    except (Exception, SystemExit) as error:  # noqa: BLE001 - any fault of a plugin stays its own
        if module is not None and manager.is_registered(module):
            manager.unregister(module)
        plugins.infos.append(PluginInfo(name, origin, "failed", why=_why(error)))
        return
    for connector in found:
        plugins.connectors[connector.name] = connector
    plugins.link_rules.extend(links)
    plugins.health_rules.extend(health)
    plugins.infos.append(
        PluginInfo(
            name,
            origin,
            "loaded",
            contract=CONTRACT,
            connectors=tuple(c.name for c in found),
            capabilities=tuple(
                word
                for word, kind in CAPABILITIES.items()
                if any(issubclass(c, kind) for c in found)
            ),
        )
    )


def _answers(manager: pluggy.PluginManager, module: object, hook: str) -> list[Any]:
    """What one plugin answers to one of the hooks that name things."""
    others = [plugin for plugin in manager.get_plugins() if plugin is not module]
    caller = manager.subset_hook_caller(hook, others)
    return [one for answer in caller() for one in answer]


def _rules(found: list[Any]) -> list[Any]:
    for one in found:
        if not callable(one):
            raise PluginError(f"{one!r} is no rule: it cannot be called")
    return found


def _check(
    connector: type[Connector[Any]],
    known: dict[str, type[Connector[Any]]],
    taken: frozenset[str],
) -> None:
    """Hold a connector class against the contract. Raises PluginError."""
    if not _is_connector(connector):
        raise PluginError(f"{connector!r} is no subclass of opsync.Connector")
    label = connector.__name__
    if connector.contract != CONTRACT:
        raise PluginError(
            f"{label} was made for contract {connector.contract}; this opsync has {CONTRACT}"
        )
    for name in ("name", "title", "settings_type"):
        if not hasattr(connector, name):
            raise PluginError(f"{label} does not state `{name}`")
    if not _is_settings(connector.settings_type):
        raise PluginError(f"{label}.settings_type is no subclass of opsync.ConnectorSettings")
    if inspect.isabstract(connector):
        missing = ", ".join(sorted(connector.__abstractmethods__))
        raise PluginError(f"{label} lacks {missing}")
    if issubclass(connector, Measurable) and not issubclass(connector, Readable):
        raise PluginError(f"{label} measures, and reads no record of the project that it measures")
    if connector.name in taken:
        raise PluginError(
            f'"{connector.name}" is the name of a bundled connector: give {label} another'
        )
    if issubclass(connector, Census) and not issubclass(connector, Readable):
        raise PluginError(f"{label} lists what there is, and cannot be read")
    if connector.name in known:
        raise PluginError(f'another plugin already brings a connector "{connector.name}"')


def _why(error: BaseException) -> str:
    return str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"


def _is_connector(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, Connector)


def _is_settings(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, ConnectorSettings)
