"""The checks against vendors' specs find what is wrong, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opsync.sandbox.validate import Report, validate_jira, validate_linear, validate_notion
from opsync.sandbox.vendor import Exchange

OPENAPI = {
    "openapi": "3.0.1",
    "info": {"title": "A little Jira", "version": "1"},
    "paths": {
        "/rest/api/3/thing/{id}": {
            "get": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "size", "in": "query", "schema": {"type": "integer"}},
                    {"name": "kind", "in": "query", "required": True, "schema": {}},
                ],
                "responses": {"200": {"$ref": "#/components/responses/Thing"}, "404": {}},
            },
        },
        "/rest/api/3/thing": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/New"}}
                    },
                },
                "responses": {"204": {"description": "made"}},
            }
        },
    },
    "components": {
        "responses": {
            "Thing": {
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
            }
        },
        "schemas": {
            "Thing": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "sort": {"enum": ["a", ""]}},
                "additionalProperties": False,
            },
            "New": {
                "type": "object",
                "required": ["thing"],
                "properties": {"thing": {"$ref": "#/components/schemas/Thing"}},
            },
        },
    },
}

SDL = """
type Query { node(id: ID!): Node  issues(first: Int, state: State): [Issue!]! }
interface Node { id: ID! }
type Issue implements Node { id: ID!  title: String  state: State!  estimate: Float }
type Team implements Node { id: ID!  key: String! }
enum State { open done }
"""


@pytest.fixture
def openapi(tmp_path: Path) -> Path:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(OPENAPI))
    return path


@pytest.fixture
def sdl(tmp_path: Path) -> Path:
    path = tmp_path / "schema.graphql"
    path.write_text(SDL)
    return path


def get(query: str = "kind=x", *, answer: object = None, status: int = 200) -> Exchange:
    body = json.dumps({"name": "n"} if answer is None else answer).encode()
    return Exchange("GET", "/rest/api/3/thing/1", query, b"", status, body, reads=True)


def post(body: bytes, *, status: int = 204, answer: bytes = b"") -> Exchange:
    return Exchange("POST", "/rest/api/3/thing", "", body, status, answer, reads=False)


def graphql(query: str, answer: object, variables: object = None) -> Exchange:
    request = json.dumps({"query": query, "variables": variables}).encode()
    return Exchange("POST", "/graphql", "", request, 200, json.dumps(answer).encode(), reads=True)


def test_what_fits_is_counted(openapi: Path) -> None:
    report = validate_jira([get("kind=x&size=2"), post(b'{"thing": {"sort": ""}}')], openapi)
    assert (report.requests, report.answers, report.problems) == (2, 1, [])
    assert sum(report.skipped.values()) == 1


@pytest.mark.parametrize(
    ("exchange", "says"),
    [
        (get(""), "query parameter kind is missing"),
        (get("kind=x&colour=red"), "unknown query parameter colour"),
        (get("kind=x&size=many"), "'many' is no whole number"),
        (get(answer={"name": 5}), "answer name: 5 is not of type 'string'"),
        (get(answer={"extra": 1}), "Additional properties are not allowed"),
        (get(status=201), "not documented"),
        (post(b""), "the body is missing"),
        (post(b"{"), "the request is no JSON"),
        (post(b"{}"), "'thing' is a required property"),
        (post(b'{"thing": {"name": 5}}'), "request thing/name: 5 is not"),
        (Exchange("GET", "/rest/api/3/nowhere", "", b"", 200, b"", True), "no such operation"),
        (Exchange("GET", "/rest/api/3/thing/1", "kind=x", b"", 200, b"<p>", True), "no JSON"),
    ],
)
def test_what_does_not_fit_is_a_problem(openapi: Path, exchange: Exchange, says: str) -> None:
    (problem,) = validate_jira([exchange], openapi).problems
    assert says in problem


def test_the_same_problem_is_told_once(openapi: Path) -> None:
    assert len(validate_jira([get("")] * 3, openapi).problems) == 1


def test_limits_faults_and_version_2_are_skipped_and_counted(openapi: Path) -> None:
    old = Exchange("GET", "/rest/api/2/myself", "", b"", 200, b"{}", reads=True)
    cut = Exchange("GET", "/rest/api/3/thing/1", "kind=x", b"", 200, b"{", True, faulted=True)
    report = validate_jira([get(status=429), old, cut], openapi)
    assert (report.requests, report.answers, report.problems) == (2, 0, [])
    assert sum(report.skipped.values()) == 3


def test_a_path_behind_the_gateway_is_the_sites(openapi: Path) -> None:
    path = "/ex/jira/some-cloud/rest/api/3/thing/1"
    exchange = Exchange("GET", path, "kind=x", b"", 200, b"{}", reads=True)
    assert validate_jira([exchange], openapi).answers == 1


ISSUES = "query Q($n: Int) { issues(first: $n) { id state more: title } }"
ISSUE = {"id": "1", "state": "open", "more": None}
NODE = "query { node(id: 1) { __typename id ...on Issue { title } ...on Team { key } } }"


@pytest.mark.parametrize(
    ("query", "answer", "variables"),
    [
        (ISSUES, {"data": {"issues": [ISSUE]}}, {"n": 1}),
        (ISSUES, {"data": None, "errors": [{"message": "no"}]}, None),
        (NODE, {"data": {"node": {"__typename": "Team", "id": "1", "key": "GRO"}}}, None),
        (NODE, {"data": {"node": None}}, None),
        (
            "query Q($s: Boolean!) { issues { id title @skip(if: $s) } }",
            {"data": {"issues": [{"id": "1"}]}},
            {"s": True},
        ),
        (
            "query { issues { ...F } } fragment F on Issue { estimate }",
            {"data": {"issues": [{"estimate": 3}]}},
            None,
        ),
    ],
)
def test_a_possible_answer_of_graphql_is_counted(
    sdl: Path, query: str, answer: object, variables: object
) -> None:
    report = validate_linear([graphql(query, answer, variables)], sdl)
    assert report == Report(requests=1, answers=1)


@pytest.mark.parametrize(
    ("query", "answer", "variables", "says"),
    [
        ("query {", {}, None, "cannot be run"),
        ("query { issues { colour } }", {"data": {"issues": []}}, None, "colour"),
        (ISSUES, {"data": {"issues": []}}, {"n": "many"}, "a variable"),
        (ISSUES, {"data": {"issues": None}}, None, "null, but the type is"),
        (ISSUES, {"data": {"issues": [ISSUE | {"state": "limbo"}]}}, None, "is no State"),
        (ISSUES, {"data": {"issues": [ISSUE | {"id": 1}]}}, None, "is no ID"),
        (ISSUES, {"data": {"issues": [ISSUE | {"x": 1}]}}, None, "was not asked for"),
        (ISSUES, {"data": {"issues": [{"id": "1", "state": "open"}]}}, None, "more: is missing"),
        (ISSUES, {"data": {"issues": {}}}, None, "a list is expected"),
        (ISSUES, {"data": None}, None, "no data and no errors"),
        (NODE, {"data": {"node": {"__typename": "Team", "id": "1"}}}, None, "key: is missing"),
    ],
)
def test_an_impossible_request_or_answer_of_graphql_is_a_problem(
    sdl: Path, query: str, answer: object, variables: object, says: str
) -> None:
    (problem,) = validate_linear([graphql(query, answer, variables)], sdl).problems
    assert says in problem


def test_a_spec_is_read_again_when_its_file_changed(openapi: Path) -> None:
    assert validate_jira([get()], openapi).problems == []
    openapi.write_text(json.dumps(OPENAPI | {"paths": {}, "info": {}}))
    assert validate_jira([get()], openapi).problems


def test_notions_requests_are_checked_as_far_as_its_spec_goes(specs_dir: Path) -> None:
    spec = specs_dir / "notion-openapi-2025-09-03-mcp-server.json"
    good = Exchange("POST", "/v1/data_sources/d/query", "", b'{"page_size": 100}', 200, b"{}", True)
    bad = Exchange("POST", "/v1/data_sources/d/query", "", b'{"page_size": "x"}', 200, b"{}", True)
    lost = Exchange("GET", "/v1/nowhere", "", b"", 200, b"{}", True)
    assert validate_notion([good], spec).problems == []
    assert len(validate_notion([bad, lost], spec).problems) == 2
