"""JSON as Amplitude's documentation shows it: with commas too many and brackets too few.

What is read is certain: a comma before a closing bracket ends nothing and begins nothing, and a
name with a colon, or a closing brace, can only belong to an object, so that a list before it has
ended. Anything else that is no JSON is refused, not guessed at.
"""

from __future__ import annotations

import json
import re
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MAX_DEPTH = 60

_BLANK = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null')
_NAME = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"[ \t\r\n]*:')


def read(body: bytes) -> Json:
    """The value of `body`. ValueError, with the reason, where that is not certain."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is no UTF-8 text") from None
    try:
        value: Json = json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:
        return _Reader(text).whole()
    return value


def _no_number(name: str) -> Json:
    raise ValueError(f"{name} is no number")


class _Reader:
    """One reading of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._ended_early = False
        """Whether the value just read was a list without its bracket."""

    def whole(self) -> Json:
        value = self._value(0)
        self._blank()
        if self._at != len(self._text):
            raise self._odd()
        return value

    def _value(self, depth: int) -> Json:
        if depth > MAX_DEPTH:
            raise ValueError("it is nested too deeply")
        self._blank()
        match self._next():
            case "{":
                return self._object(depth)
            case "[":
                return self._list(depth)
        return self._scalar()

    def _object(self, depth: int) -> Json:
        found: dict[str, Json] = {}
        self._at += 1
        while True:
            self._blank()
            if self._next() == "}":
                self._at += 1
                return found
            match = _NAME.match(self._text, self._at)
            if match is None:
                raise self._odd()
            name: str = json.loads(match[0].rstrip(": \t\r\n"))
            if name in found:
                raise ValueError(f'"{name[:40]}" is there twice')
            self._at = match.end()
            found[name] = self._value(depth + 1)
            self._comma("}")

    def _list(self, depth: int) -> Json:
        found: list[Json] = []
        self._at += 1
        while True:
            self._blank()
            if self._next() == "]":
                self._at += 1
                return found
            if self._next() == "}" or _NAME.match(self._text, self._at):
                self._ended_early = True
                return found
            found.append(self._value(depth + 1))
            self._comma("]}")

    def _comma(self, closers: str) -> None:
        """Pass the comma after a value. Without one, only the end of what holds it may follow, or
        what showed that a list had ended."""
        self._blank()
        early, self._ended_early = self._ended_early, False
        if self._next() == ",":
            self._at += 1
        elif self._next() not in closers and not early:
            raise self._odd()

    def _scalar(self) -> Json:
        match = _SCALAR.match(self._text, self._at)
        if match is None:
            raise self._odd()
        try:
            value: Json = json.loads(match[0])
        except ValueError:
            raise self._odd() from None
        self._at = match.end()
        return value

    def _blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        assert match is not None
        self._at = match.end()

    def _next(self) -> str:
        return self._text[self._at : self._at + 1] or "the end"

    def _odd(self) -> ValueError:
        return ValueError(f"it is no JSON at character {self._at + 1}")
