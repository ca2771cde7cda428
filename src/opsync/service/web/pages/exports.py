"""GET /export/…: all initiatives, for spreadsheets and programs, and the digest of the week."""

from __future__ import annotations

import csv
from io import StringIO

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from opsync.engine.digest import week
from opsync.engine.digestwords import as_markdown, on_page, told
from opsync.engine.overview import Initiative
from opsync.engine.usewords import brief
from opsync.service.web.links import csv_cell, safe_url
from opsync.service.web.site import site_of

COLUMNS = (
    "title", "owner", "teams", "health", "reason", "done", "total", "percent", "in_progress",
    "blocked", "canceled", "private", "scope_added", "due_on", "done_since", "says", "disagrees",
    "adoption", "tool", "url", "rule", "ref",
)  # fmt: skip
"""The columns of the table, in their order; names as in `opsync status --json`."""


async def as_json(request: Request) -> Response:
    """All of `opsync status --json`."""
    site = site_of(request)
    found = (await site.portfolio(site.now())).found
    body = msgspec.json.format(msgspec.json.encode(found), indent=2)
    return Response(body, media_type="application/json", headers=_named("initiatives.json"))


async def as_csv(request: Request) -> Response:
    """One line an initiative. No cell is taken for a formula."""
    site = site_of(request)
    found = (await site.portfolio(site.now())).found
    text = StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    table.writerows(_cells(one) for one in found.initiatives)
    # The mark has spreadsheets take it for UTF-8.
    body = ("\ufeff" + text.getvalue()).encode()
    return Response(body, media_type="text/csv; charset=utf-8", headers=_named("initiatives.csv"))


async def as_digest(request: Request) -> Response:
    """What `opsync digest` prints, of one team if the address says so: `?team=Payments`."""
    site = site_of(request)
    config, now = site.desk.config, site.now()
    team = request.query_params.get("team", "")
    found = (await site.portfolio(now, team)).weeks.get(team)
    if found is None:
        # No page tells of it: it is written in another way, or there is none, and that is said.
        found = await site.desk.store.look(lambda store: week(config, store, now, team=team))
    leads = on_page(config.general.service.public_url)
    body = as_markdown(told(found, config.zone, leads)) + "\n"
    return Response(body, media_type="text/markdown; charset=utf-8", headers=_named("digest.md"))


def _cells(one: Initiative) -> list[str]:
    use, _ = brief(one.adoption)
    special = {
        "teams": ", ".join(one.teams),
        "percent": "" if one.percent is None else f"{one.percent:.2f}",
        "adoption": use if one.adoption else "",
        "disagrees": "yes" if one.disagrees else "no",
        "url": safe_url(one.url) or "",
    }
    found = []
    for name in COLUMNS:
        value = special[name] if name in special else getattr(one, name)
        found.append(csv_cell("" if value is None else str(value)))
    return found


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
