"""Speaking to a running sandbox: its control interface, and a look at its Notion pages."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import httpx

from opsync.errors import ConfigError
from opsync.sandbox.launch import PORT, TOKENS

URL = f"http://127.0.0.1:{PORT}"
_TIMEOUT_S = 10.0
_NOTION_VERSION = "2026-03-11"


class SandboxClient:
    """A running sandbox at `url`. All methods raise ConfigError when none answers there, or when
    it refuses; the message is the sandbox's own sentence."""

    def __init__(self, url: str = URL) -> None:
        self.url = url.rstrip("/")
        # The sandbox is on this machine: a proxy of the environment must not be asked for it.
        self._http = httpx.Client(timeout=_TIMEOUT_S, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def move(self, item: str, to: str) -> str:
        """Move an item to a status, as a person would; returns what happened in one sentence."""
        return str(self._control("move", {"item": item, "to": to})["did"])

    def edit(self, item: str, field: str, value: object) -> str:
        """Set a field, as a person would; returns what happened in one sentence."""
        return str(self._control("edit", {"item": item, "field": field, "value": value})["did"])

    def outage(self, vendor: str, *, on: bool = True, for_s: float | None = None) -> str:
        """Let a vendor answer 503 to everything, or answer again."""
        body: dict[str, object] = {"vendor": vendor, "on": on}
        if for_s is not None:
            body["for_s"] = for_s
        return str(self._control("outage", body)["did"])

    def state(self) -> dict[str, Any]:
        """What there is at each vendor, by name: counts, faults, requests served."""
        vendors: dict[str, Any] = self._control("state")["vendors"]
        return vendors

    def data_source(self, name: str) -> str:
        """The id of the Notion data source of that name."""
        return str(self._search(name, "data_source")["id"])

    def page(self, title: str) -> dict[str, str]:
        """What stands in each column of the page of that title, as text."""
        properties: dict[str, Any] = self._search(title, "page")["properties"]
        return {name: _text(value) for name, value in properties.items()}

    def _search(self, query: str, kind: str) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {TOKENS['notion']}",
            "Notion-Version": _NOTION_VERSION,
        }
        body = {"query": query, "filter": {"property": "object", "value": kind}}
        answer = self._ask("POST", "/notion/v1/search", body, headers)
        found: list[dict[str, Any]] = answer["results"]
        if not found:
            raise ConfigError(f"the sandbox's Notion has no {kind.replace('_', ' ')} {query!r}")
        return found[0]

    def _control(self, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self._ask("GET" if body is None else "POST", f"/_sandbox/{verb}", body, {})

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> dict[str, Any]:
        try:
            answer = self._http.request(method, self.url + path, json=body, headers=headers)
            found = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            raise ConfigError(
                f"no sandbox answers at {self.url}.",
                hint="Start one with: opsync sandbox. One at another address: `--url URL`, "
                "with init `--sandbox URL`.",
            ) from None
        if answer.is_success and isinstance(found, dict):
            return found
        why = found.get("error") or found.get("message") if isinstance(found, dict) else None
        raise ConfigError(f"sandbox: {why or f'{self.url} answered {answer.status_code}'}")


def _text(value: dict[str, Any]) -> str:
    """One property value of Notion's API as people see it in the table."""
    held = value.get(value["type"])
    if held is None:
        return ""
    match value["type"]:
        case "title" | "rich_text":
            return "".join(run["plain_text"] for run in held)
        case "status" | "select":
            return str(held["name"])
        case "number":
            return f"{held:.0%}".replace("%", " %")
        case "date":
            return str(held["start"])
        case _:
            return str(held)
