"""`[service.tracing]`: where the service tells what took how long."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from opsync.blocks.base import Block


def _endpoint(value: str) -> str:
    if not value:
        return value
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username is not None or parts.query or parts.fragment:
        raise ValueError(
            'is no address of a collector: write "http://localhost:4318"; what signs in there '
            "belongs into OTEL_EXPORTER_OTLP_HEADERS"
        )
    return value.rstrip("/")


class TracingBlock(Block):
    """`[service.tracing]`: OpenTelemetry, with the extra packages of `opsync[otel]`."""

    endpoint: Annotated[str, AfterValidator(_endpoint)] = ""
    """A collector that takes OTLP over HTTP: "http://localhost:4318". "": what
    OTEL_EXPORTER_OTLP_ENDPOINT says, and no tracing without that."""
