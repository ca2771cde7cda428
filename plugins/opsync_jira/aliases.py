"""Finding issues by keys that they have or once had: a moved issue keeps its id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opsync_jira import wire
from opsync_jira.datacenter import KEY, issue_id
from opsync_jira.dialect import Api

MAX_KEYS = 100
"""Keys in one bulk fetch that every site takes."""
MAX_SINGLE = 50
"""Keys that are looked up one by one at most, on Data Center."""


async def find(api: Api, names: Sequence[str]) -> Mapping[str, str]:
    """The ids of the issues behind those of `names` that are keys and are found."""
    keys = [name for name in dict.fromkeys(names) if KEY.fullmatch(name)]
    found: dict[str, str] = {}
    if not api.cloud:
        for key in keys[:MAX_SINGLE]:
            if id_ := await issue_id(api, key):
                found[key] = id_
        return found
    for start in range(0, len(keys), MAX_KEYS):
        await _find_in_bulk(api, keys[start : start + MAX_KEYS], found)
    return found


async def _find_in_bulk(api: Api, keys: Sequence[str], found: dict[str, str]) -> None:
    """Add what is found of `keys`.

    An answer has the present keys only. Where it holds one that was not asked for, halves are
    asked for until the former key stands alone.
    """
    body = {"issueIdsOrKeys": keys, "fields": ["summary"]}
    answer = await api.read("POST", "issue/bulkfetch", json=body)
    asked = {key.upper(): key for key in keys}
    moved: list[str] = []
    for issue in answer.decode(wire.IdPage).issues:
        key = asked.pop(issue.key.upper(), None)
        if key is None:
            moved.append(issue.id)
        else:
            found[key] = issue.id
    left = list(asked.values())
    if moved and len(left) == 1:
        found[left[0]] = moved[0]
    elif moved:
        half = len(left) // 2
        await _find_in_bulk(api, left[:half], found)
        await _find_in_bulk(api, left[half:], found)
