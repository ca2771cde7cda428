"""Logging: events with fields, one line each, free of secrets and of control characters.

structlog is loaded on first use, so that `opsync --help` does without it.
"""

from __future__ import annotations

import json as json_module
import logging
import re
import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, TextIO, cast

from opsync.redact import Redactor

if TYPE_CHECKING:
    from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

LogFormat = Literal["auto", "json", "console"]
"""How a service logs: one JSON object a line, a line of text, or text on a terminal only."""

LOUD = ("httpx", "httpcore", "hpack", "asyncio", "uvicorn.access")
"""Loggers kept at warnings: httpx's own INFO line prints whole URLs with their secrets."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def one_line(text: str) -> str:
    """`text` without terminal escapes, other control characters and direction marks.

    Line breaks and tabs stay visible as `\\n`, `\\r`, `\\t`.
    """
    return _CONTROL.sub(lambda found: _ESCAPES.get(found[0], ""), text)


def as_json(log_format: LogFormat, stream: TextIO | None = None) -> bool:
    """Whether lines are to be JSON on `stream` (standard error if None)."""
    if log_format == "auto":
        return not (stream or sys.stderr).isatty()
    return log_format == "json"


def bind_run(run: int = 0, instance: str = "") -> AbstractContextManager[None]:
    """A block, and the tasks that are begun in it, whose lines tell the run and the instance, as
    far as these are given."""
    import structlog

    given: dict[str, int | str] = {"run": run, "instance": instance}
    return structlog.contextvars.bound_contextvars(**{k: v for k, v in given.items() if v})


def get_logger() -> FilteringBoundLogger:
    """The logger. Events are `noun.verb_past`, everything else is a field."""
    import structlog

    if not structlog.is_configured():
        _configure_structlog(json=False, level="warning", secrets=Redactor(), stream=None)
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


def configure(*, json: bool, level: str, secrets: Redactor, stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (standard error if None), cleaned by `secrets`.

    `json` writes one JSON object a line (for pipes), else plain text (for terminals). `level` is
    one of `LEVELS`. The standard library's loggers, which the dependencies use, go the same way
    at warnings and above.
    """
    import structlog

    _configure_structlog(json=json, level=level, secrets=secrets, stream=stream)
    handler = logging.StreamHandler(_Stream(stream))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(json=json, secrets=secrets),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(LEVELS[level], logging.WARNING))
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)


def _configure_structlog(
    *, json: bool, level: str, secrets: Redactor, stream: TextIO | None
) -> None:
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            *_rendering(json=json, secrets=secrets),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Stream(stream))),
        cache_logger_on_first_use=False,
    )


def _rendering(*, json: bool, secrets: Redactor) -> list[Processor]:
    """The last steps: time, exceptions as text (never with local variables), text, clean text."""
    import structlog

    render = _as_json if json else _as_text

    def clean(logger: WrappedLogger, method: str, event: EventDict) -> str:
        # Cleaning what was rendered reaches names, nested values and tracebacks alike.
        return secrets.clean(render(event))

    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        clean,
    ]


def _as_json(event: EventDict) -> str:
    head = {name: event.pop(name) for name in ("at", "level", "event") if name in event}
    # All but ASCII is escaped, and with it every control character but one.
    return json_module.dumps({**head, **event}, default=repr).replace("\x7f", "\\u007f")


def _as_text(event: EventDict) -> str:
    at = str(event.pop("at", ""))[11:19]
    level = event.pop("level", "")
    name = event.pop("event", "")
    trace = event.pop("exception", None)
    fields = "".join(f" {key}={value}" for key, value in event.items())
    line = one_line(f"{at} {level:<7} {name}{fields}")
    if trace is None:
        return line
    # Indented, so that no line of a message can pass for a log line.
    return "\n".join([line, *(f"    {one_line(part)}" for part in str(trace).splitlines())])


class _Stream:
    """Standard error as it is at the time of writing, or the stream given."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return (self._stream or sys.stderr).write(text)

    def flush(self) -> None:
        (self._stream or sys.stderr).flush()
