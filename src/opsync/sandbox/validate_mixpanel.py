"""Checks exchanges with Mixpanel against its own specs: one for each of its APIs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opsync.sandbox.validate import Report
from opsync.sandbox.vendor import Exchange

if TYPE_CHECKING:
    from opsync.sandbox.openapi import Spec

FILES = {
    "/api/query": "mixpanel-query.openapi.yaml",
    "/api/app": "mixpanel-annotations.openapi.yaml",
}
"""The document of each API, by what its paths begin with."""


def validate_mixpanel(exchanges: Iterable[Exchange], specs: Path) -> Report:
    """Check Mixpanel exchanges against the OpenAPI documents in the folder `specs`.

    Requests: path, method, query parameters, body. Answers: the schema of their status. Another
    path than those of the two APIs is a problem.
    """
    report = Report()
    for exchange in exchanges:
        base = next((base for base in FILES if exchange.path.startswith(f"{base}/")), None)
        if base is None:
            report.problem(exchange, "in no API of Mixpanel's")
            continue
        file = specs / FILES[base]
        spec = _load(file, file.stat().st_mtime_ns)
        spec.check(exchange, exchange.path.removeprefix(base), report, {})
    return report


@lru_cache(maxsize=4)
def _load(path: Path, _version: int) -> Spec:
    import yaml

    from opsync.sandbox.openapi import Spec

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return Spec(yaml.load(path.read_bytes(), Loader=loader))  # noqa: S506 -- safe loaders only
