"""Several mutations in one request: which failure costs what, and what is sent again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from opsync.errors import BadAnswer, SignInError
from opsync.model import Change, Kind, OutcomeKind, Record, Ref
from opsync_linear.marks import own_id, own_surface
from tests.plugins.linear.conftest import PAGE, Connect, apply, change, link_content, rollup_content

Answering = Callable[[str, dict[str, Any]], httpx.Response]


class Scripted(httpx.AsyncBaseTransport):
    """Answers each request by a function of its query and variables, and keeps the queries."""

    def __init__(self, answering: Answering) -> None:
        self.answering = answering
        self.queries: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.queries.append(body["query"])
        return self.answering(body["query"], body["variables"])


def refused(message: str, alias: str | None = None, **kind: str) -> httpx.Response:
    error = {"message": message, "path": [alias] if alias else None, "extensions": kind}
    return httpx.Response(200, json={"data": None, "errors": [error]})


def good(payloads: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"data": payloads})


def attachment(number: int) -> dict[str, Any]:
    made = {"id": f"a{number}", "url": "https://x.example", "title": "t", "metadata": {}}
    return {"success": True, "attachment": made}


def issue(number: int) -> Record:
    return Record(ref=Ref("linear", "issue", f"i{number}"), kind=Kind.issue, title=f"{number}")


def links(linear: Any, count: int) -> list[Change]:
    value = linear.render("link", issue(0), link_content())
    return [change(issue(n), "link", value, id_=f"c{n}") for n in range(count)]


PROJECT = Record(ref=Ref("linear", "project", "p1"), kind=Kind.project, title="Checkout web")


async def test_the_rest_is_sent_again_without_the_refused_one(connect: Connect) -> None:
    def answering(_query: str, variables: dict[str, Any]) -> httpx.Response:
        ids = [given["issueId"] for given in variables.values()]
        if "i2" in ids:
            return refused("Argument Validation Error", f"a{ids.index('i2')}", type="invalid input")
        return good({f"a{n}": attachment(n) for n in range(len(ids))})

    transport = Scripted(answering)
    linear = connect(transport=transport)

    outcomes = await apply(linear, links(linear, 5))

    assert [id_ for id_, o in outcomes.items() if o.kind is OutcomeKind.failed] == ["c2"]
    assert len(transport.queries) == 2
    assert transport.queries[1].count("attachmentCreate") == 4


async def test_one_forbidden_object_is_not_the_keys_fault(connect: Connect) -> None:
    def answering(_query: str, variables: dict[str, Any]) -> httpx.Response:
        ids = [given["issueId"] for given in variables.values()]
        if "i0" in ids:
            return refused("Not allowed", "a0", code="FORBIDDEN")
        return good({f"a{n}": attachment(n) for n in range(len(ids))})

    linear = connect(transport=Scripted(answering))

    outcomes = await apply(linear, links(linear, 3))

    assert outcomes["c0"].kind is OutcomeKind.failed
    assert "needs Write" in outcomes["c0"].message
    assert outcomes["c0"].retryable
    assert outcomes["c1"].kind is OutcomeKind.created


async def test_a_key_that_is_refused_everywhere_stops_after_two(connect: Connect) -> None:
    transport = Scripted(lambda *_: refused("Not allowed", "a0", code="FORBIDDEN"))
    linear = connect(transport=transport)

    with pytest.raises(SignInError, match="needs Write"):
        await apply(linear, links(linear, 9))

    assert len(transport.queries) == 2


async def test_an_id_that_linear_has_used_up_gives_way_to_another(connect: Connect) -> None:
    linear = connect(transport=httpx.MockTransport(lambda _: httpx.Response(500)))
    value = linear.render("rollup", PROJECT, rollup_content())
    wanted = change(PROJECT, "rollup", value, other=PAGE)
    used_up = own_id(wanted.slot)
    made: list[str] = []

    def answering(query: str, variables: dict[str, Any]) -> httpx.Response:
        if "Update(" in query:
            return refused("Entity not found: EntityExternalLink", "a0", type="invalid input")
        given = variables["input0"]
        if given["id"] == used_up:
            return refused(f"Entity with id {used_up} already exists", "a0", type="invalid input")
        made.append(given["id"])
        link = {"id": given["id"], "url": given["url"], "label": given["label"]}
        return good({"a0": {"success": True, "entityExternalLink": link}})

    outcomes = await apply(connect(transport=Scripted(answering)), [wanted])

    assert [o.kind for o in outcomes.values()] == [OutcomeKind.created]
    assert [own_surface(each) for each in made] == ["rollup"]
    assert made != [used_up]


async def test_a_create_that_is_refused_for_good_says_why(connect: Connect) -> None:
    def answering(query: str, _variables: dict[str, Any]) -> httpx.Response:
        if "Update(" in query:
            return refused("Entity not found: EntityExternalLink", "a0", type="invalid input")
        return refused("label is too rude", "a0", type="invalid input")

    transport = Scripted(answering)
    linear = connect(transport=transport)
    value = linear.render("rollup", PROJECT, rollup_content())

    (outcome,) = (await apply(linear, [change(PROJECT, "rollup", value, other=PAGE)])).values()

    assert (outcome.kind, outcome.retryable) == (OutcomeKind.failed, False)
    assert "too rude" in outcome.message
    assert len(transport.queries) == 2


async def test_success_false_is_a_failure(connect: Connect) -> None:
    transport = Scripted(lambda *_: good({"a0": attachment(0) | {"success": False}}))
    linear = connect(transport=transport)

    (outcome,) = (await apply(linear, links(linear, 1))).values()

    assert outcome.kind is OutcomeKind.failed


async def test_an_answer_that_lacks_an_alias_is_no_answer(connect: Connect) -> None:
    linear = connect(transport=Scripted(lambda *_: good({"a0": attachment(0)})))

    with pytest.raises(BadAnswer, match="lacks a1"):
        await apply(linear, links(linear, 2))


def test_ids_of_opsync_are_valid_and_told_apart_from_all_others() -> None:
    slot = change(PROJECT, "rollup", None, other=PAGE).slot

    id_ = own_id(slot)

    assert id_ == own_id(slot)
    assert id_[14] == "4"
    assert id_[19] in "89ab"
    assert own_surface(id_) == "rollup"
    assert own_id(slot, salt="again") != id_
    assert own_surface("b6e4c8a0-6f3e-4f43-9d0a-2f6f3f6c1a11") == ""
    assert own_surface("no uuid") == ""
