"""The sandbox's own HTTP interface, `/_sandbox`: look at the vendors, poke them, break them.

All answers are JSON. POST bodies are JSON objects; errors are `{"error": "…"}` with 400 (wrong
body), 404 (no vendor or item), 409 (several items fit) or 403 (not from this machine).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from opsync.sandbox.vendor import AmbiguousItem, Vendor

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

Body = dict[str, Any]


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Control:
    """The control interface over the named vendors.

    GET state; POST move {item, to}, edit {item, field, value}, outage {vendor, on, for_s?},
    fault {vendor, name: value, …} with the names of `Faults`, webhook {vendor, do, …}: what people
    click there, `subscribe` {url} and `verify` {token} at Notion, `enable` {id} elsewhere.
    """

    def __init__(self, vendors: Mapping[str, Vendor]) -> None:
        self._vendors = vendors
        self.app = Starlette(
            routes=[
                Route("/state", self._guarded(self._state), methods=["GET"]),
                Route("/move", self._guarded(self._move), methods=["POST"]),
                Route("/edit", self._guarded(self._edit), methods=["POST"]),
                Route("/outage", self._guarded(self._outage), methods=["POST"]),
                Route("/fault", self._guarded(self._fault), methods=["POST"]),
                Route("/webhook", self._guarded(self._webhook), methods=["POST"]),
            ]
        )

    def _guarded(self, act: Callable[[Body], object]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> JSONResponse:
            try:
                _check_origin(request)
                body = await _body(request) if request.method == "POST" else {}
                return JSONResponse(act(body))
            except _Refused as refused:
                return JSONResponse({"error": refused.message}, refused.status)

        return answer

    def _state(self, _: Body) -> object:
        return {"vendors": {name: _summary(vendor) for name, vendor in self._vendors.items()}}

    def _move(self, body: Body) -> object:
        item, to = _text(body, "item"), _text(body, "to")
        return self._poke(item, lambda vendor: vendor.poke_move(item, to))

    def _edit(self, body: Body) -> object:
        item, field = _text(body, "item"), _text(body, "field")
        value = body.get("value")
        return self._poke(item, lambda vendor: vendor.poke_edit(item, field, value))

    def _outage(self, body: Body) -> object:
        vendor, name = self._vendor(body)
        on, for_s = body.get("on", True), body.get("for_s")
        if not isinstance(on, bool):
            raise _Refused(400, "on must be true or false")
        if for_s is not None and (isinstance(for_s, bool) or not isinstance(for_s, int | float)):
            raise _Refused(400, "for_s must be a number of seconds")
        if on:
            vendor.start_outage(for_s)
            until = "" if for_s is None else f" for {for_s:g} s"
            return {"did": f"{name} answers 503 to everything{until}."}
        vendor.end_outage()
        return {"did": f"{name} answers again."}

    def _fault(self, body: Body) -> object:
        vendor, name = self._vendor(body)
        wanted = {key: value for key, value in body.items() if key != "vendor"}
        with vendor.lock:
            checked = {key: _fault_value(vendor, key, value) for key, value in wanted.items()}
            for key, value in checked.items():
                setattr(vendor.faults, key, value)
            return {"did": f"Faults of {name} are set.", "faults": _faults(vendor)}

    def _webhook(self, body: Body) -> object:
        vendor, _ = self._vendor(body)
        what = {key: value for key, value in body.items() if isinstance(value, str)}
        try:
            with vendor.lock:
                return {"did": vendor.poke_webhook(_text(body, "do"), what)}
        except (LookupError, ValueError) as error:
            raise _Refused(400, str(error.args[0])) from error

    def _vendor(self, body: Body) -> tuple[Vendor, str]:
        name = _text(body, "vendor")
        if name not in self._vendors:
            raise _Refused(404, f"no vendor {name!r}; there are {', '.join(self._vendors)}")
        return self._vendors[name], name

    def _poke(self, item: str, act: Callable[[Vendor], str]) -> object:
        try:
            owners = [name for name, vendor in self._vendors.items() if vendor.find(item)]
            if len(owners) > 1:
                where = ", ".join(owners)
                raise _Refused(409, f"{item!r} is found in {where}: name it by key or link")
            if not owners:
                raise _Refused(404, f"no vendor knows {item!r}")
            vendor = self._vendors[owners[0]]
            with vendor.lock:
                return {"vendor": owners[0], "did": act(vendor)}
        except AmbiguousItem as error:
            raise _Refused(409, str(error)) from error
        except LookupError as error:
            raise _Refused(404, str(error)) from error
        except (ValueError, TypeError) as error:
            raise _Refused(400, str(error)) from error


def _check_origin(request: Request) -> None:
    """Only this machine, and no web page on it: a page's POST has another type or host."""
    client = request.client.host if request.client else ""
    host = request.url.hostname or ""
    if client not in _LOOPBACK or host not in _LOOPBACK:
        raise _Refused(403, "the sandbox is controlled from its own machine only")
    kind = request.headers.get("content-type", "").partition(";")[0]
    if request.method == "POST" and kind != "application/json":
        raise _Refused(400, "send JSON, with Content-Type: application/json")


async def _body(request: Request) -> Body:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise _Refused(400, f"the body is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise _Refused(400, "the body must be a JSON object")
    return body


def _text(body: Body, key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value.strip():
        raise _Refused(400, f"{key} is missing")
    return value.strip()


def _fault_value(vendor: Vendor, key: str, value: object) -> object:
    faults = vendor.faults
    known = {field.name for field in dataclasses.fields(faults)} - {"outage_until"}
    if key not in known:
        raise _Refused(400, f"no fault {key!r}; there are {', '.join(sorted(known))}")
    present = getattr(faults, key)
    if isinstance(present, set):
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise _Refused(400, f"{key} must be a list of ids or names")
        unknown = sorted(set(value) - set(vendor.scopes)) if key == "missing_scopes" else []
        if unknown:
            there = ", ".join(vendor.scopes)
            raise _Refused(400, f"{vendor.name} has no scope {unknown[0]!r}; there are {there}")
        return set(value)
    if type(value) is not type(present) or (isinstance(value, int) and value < 0):
        raise _Refused(400, f"{key} must be {_kind(present)}")
    return value


def _kind(present: object) -> str:
    return "true or false" if isinstance(present, bool) else "a whole number, zero or more"


def _summary(vendor: Vendor) -> object:
    with vendor.lock:
        return {
            "counts": vendor.counts(),
            "faults": _faults(vendor),
            "read_requests": vendor.read_requests,
            "write_requests": vendor.write_requests,
            "over_budget": vendor.over_budget,
            "webhooks": [] if vendor.hooks is None else vendor.hooks.summary(),
        }


def _faults(vendor: Vendor) -> dict[str, object]:
    return {
        field.name: _plain(getattr(vendor.faults, field.name))
        for field in dataclasses.fields(vendor.faults)
    }


def _plain(value: object) -> object:
    if isinstance(value, set):
        return sorted(value)
    return value.isoformat() if isinstance(value, datetime) else value
