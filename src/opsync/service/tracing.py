"""Tracing: a span a read, a decision and a round of writing, below it one a request.

It needs the packages of the extra `otel`, and loads them only where a collector is named. No span
has a title, a text, an id or a secret in it: see `opsync.observing`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opsync.__about__ import __version__
from opsync.blocks.tracing import TracingBlock
from opsync.errors import ConfigError
from opsync.observing import NOBODY, Attribute, Span, Tracer

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OtelSpan

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""https://opentelemetry.io/docs/specs/otel/protocol/exporter/"""
PATH = "/v1/traces"
"""Where a collector takes traces, below its address."""

EXPORT_S = 5
"""So long a collector may take for one batch."""
CLOSE_S = 5.0
"""So long the last spans may take when the service stops."""


class Tracing:
    """A tracer over OpenTelemetry's."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("opsync", __version__)

    @contextmanager
    def span(self, name: str, **told: Attribute) -> Iterator[Span]:
        """A block that is one span. An error in it is told by its kind alone: its message may
        quote what a tool answered."""
        from opentelemetry.trace import Status, StatusCode

        with self._tracer.start_as_current_span(
            name, attributes=told, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield _Told(span)
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR))
                span.set_attribute("error.type", type(error).__name__)
                raise

    async def aclose(self) -> None:
        """Send what is left, as far as that does not take long."""
        closing = asyncio.to_thread(self._provider.shutdown)
        # Of a collector that does not answer the last spans are lost, and nothing else.
        with suppress(TimeoutError):
            await asyncio.wait_for(closing, CLOSE_S)


class _Told:
    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    def tell(self, name: str, value: Attribute) -> None:
        """Add an attribute."""
        self._span.set_attribute(name, value)


def tracing_of(block: TracingBlock, environ: Mapping[str, str] = os.environ) -> Tracing | None:
    """What is configured; None where no collector is named. ConfigError: packages are missing."""
    named = block.endpoint or environ.get(ENDPOINT, "")
    if not named:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        where = "service.tracing.endpoint" if block.endpoint else ENDPOINT
        raise ConfigError(
            f"{where}: the packages for tracing are not installed",
            hint='Install them: pip install "opsync[otel]" — or take the endpoint out.',
        ) from error
    name = environ.get("OTEL_SERVICE_NAME") or "opsync"
    resource = Resource.create({"service.name": name, "service.version": __version__})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    # The address is given where it is configured; else the exporter reads its own variables.
    exporter = OTLPSpanExporter(
        endpoint=traces_at(block.endpoint) if block.endpoint else None, timeout=EXPORT_S
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)


def traces_at(endpoint: str) -> str:
    """Where traces are sent: the collector's address with its path, unless it names one itself."""
    return endpoint if urlsplit(endpoint).path.strip("/") else f"{endpoint}{PATH}"


def tracer(tracing: Tracing | None) -> Tracer:
    """What `opsync.observing.Observer` takes."""
    return NOBODY if tracing is None else tracing
