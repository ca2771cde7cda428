"""Checks logged exchanges of Amplitude against an OpenAPI description of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from opsync.sandbox.openapi import Spec

if TYPE_CHECKING:
    from opsync.sandbox.validate import Report
    from opsync.sandbox.vendor import Exchange

_UNLISTED = {
    ("GET", "/api/2/events/list"): "left out of the description; it is documented",
    ("GET", "/api/1/flags"): "the Experiment Management API is another one",
    ("GET", "/api/1/experiments"): "the Experiment Management API is another one",
}


def validate_amplitude(exchanges: Iterable[Exchange], spec_path: Path) -> Report:
    """Check Amplitude exchanges against the OpenAPI document, in YAML, at `spec_path`.

    Requests: path, method, query parameters, body. Answers: the schema of their status, and that
    it is a documented one.
    """
    import yaml

    from opsync.sandbox.validate import Report

    report = Report()
    spec = Spec(yaml.safe_load(spec_path.read_text(encoding="utf-8")))
    for exchange in exchanges:
        spec.check(exchange, exchange.path, report, _UNLISTED)
    return report
