"""Flags and experiments, as the Experiment Management API lists them.

https://amplitude.com/docs/apis/experiment/experiment-management-api-flags
"""

from __future__ import annotations

from opsync.sandbox.amplitude.call import Answer, Call
from opsync.sandbox.amplitude.problems import Problem
from opsync.sandbox.amplitude.state import Flag

MAX_PAGE = 1000


def flags(call: Call) -> Answer:
    """A page of flags, the newest first."""
    return _page(call, "flags", experiment=False)


def experiments(call: Call) -> Answer:
    """A page of experiments, the newest first."""
    return _page(call, "experiments", experiment=True)


def _page(call: Call, name: str, *, experiment: bool) -> Answer:
    limit, cursor = call.params.get("limit", "100"), call.params.get("cursor", "0")
    if not limit.isdecimal() or not cursor.isdecimal() or int(limit) < 1:
        raise Problem(400, "Invalid limit or cursor")
    size, start = min(int(limit), MAX_PAGE), int(cursor)
    every = sorted(call.project.held.flags.values(), key=lambda one: -one.id)
    rows = [one for one in every if one.experiment is experiment]
    end = start + size
    answer: Answer = {name: [_shape(call, one) for one in rows[start:end]]}
    if end < len(rows):
        answer["nextCursor"] = str(end)
    return answer


def _shape(call: Call, flag: Flag) -> Answer:
    return {
        "id": str(flag.id),
        "projectId": flag.project_id or call.project.project_id,
        "key": flag.key,
        "name": flag.name,
        "description": "",
        "enabled": True,
        "evaluationMode": "remote",
        "variants": [{"key": "on"}],
        "rolloutPercentage": 100,
        "deleted": flag.deleted,
        "archived": False,
    }
