"""The GraphQL documents fit Linear's schema, and cost what opsync thinks they cost."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import (
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)

from opsync.sandbox.linear.cost import Pricer
from opsync_linear import batch, checks, explore, queries, updates, webhooks
from opsync_linear.dialect import POINTS_PER_QUERY
from opsync_linear.queries import ROOTS, Sizes

ALL = frozenset(ROOTS)
READ_ONCE = frozenset(ROOTS[:3])
ISSUES = frozenset({"issues"})

DOCUMENTS = {
    "work": queries.WORK,
    "attachments": queries.ATTACHMENTS_OF,
    "project links": queries.LINKS_OF_PROJECT,
    "initiative links": queries.LINKS_OF_INITIATIVE,
    "doctor": checks.CHECK,
    **explore.DOCUMENTS,
    **webhooks.DOCUMENTS,
    "last update": updates.LAST,
    "every mutation": batch.document(batch.MUTATIONS),
}
PAGES = {
    "poll": (queries.sizes_of_page(poll=True, first=True, roots=ALL), ALL, True),
    "poll, next page": (queries.sizes_of_page(poll=True, first=False, roots=ALL), ALL, True),
    "poll, issues": (queries.sizes_of_page(poll=True, first=False, roots=ISSUES), ISSUES, True),
    "first": (queries.sizes_of_page(poll=False, first=True, roots=READ_ONCE), READ_ONCE, False),
    "issues": (queries.sizes_of_page(poll=False, first=False, roots=ISSUES), ISSUES, False),
    "long issues": (queries.LONG, ISSUES, True),
    "long projects": (queries.LONG, frozenset({"projects"}), True),
    "long initiatives": (queries.LONG, frozenset({"initiatives"}), True),
}


@pytest.fixture(scope="module")
def schema(specs_dir: Path) -> GraphQLSchema:
    return build_schema((specs_dir / "linear-schema.graphql").read_text("utf-8"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_document_fits_the_vendors_schema(schema: GraphQLSchema, name: str) -> None:
    assert validate(schema, parse(DOCUMENTS[name])) == []


@pytest.mark.parametrize("name", PAGES)
def test_each_page_costs_what_is_counted_and_less_than_the_cap(
    schema: GraphQLSchema, name: str
) -> None:
    sizes, roots, blocking = PAGES[name]
    document = parse(queries.WORK)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    asked = queries.variables(sizes, roots, filters={}, after={}, blocking=blocking)

    price = Pricer(schema, document, operation, asked).price()

    assert price == queries.cost_of_work(sizes, roots, blocking=blocking)
    assert price < POINTS_PER_QUERY


def test_looking_for_teams_and_projects_costs_what_is_counted(schema: GraphQLSchema) -> None:
    document = parse(queries.WORK)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    names = [f"T{number}" for number in range(100)]
    sought = queries.Sought(teams=names, projects=names, projects_filter={})
    asked = queries.variables(
        queries.FIRST, READ_ONCE, filters={}, after={}, blocking=False, sought=sought
    )

    price = Pricer(schema, document, operation, asked).price()

    assert price == queries.cost_of_work(queries.FIRST, READ_ONCE, blocking=False, sought=sought)
    assert price < POINTS_PER_QUERY


@pytest.mark.parametrize("query", explore.DOCUMENTS.values(), ids=explore.DOCUMENTS)
def test_looking_around_costs_what_is_counted(schema: GraphQLSchema, query: str) -> None:
    document = parse(query)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    assert Pricer(schema, document, operation, {}).price() == explore.COST[query]


@pytest.mark.parametrize("query", webhooks.DOCUMENTS.values(), ids=webhooks.DOCUMENTS)
def test_managing_webhooks_costs_what_is_counted(schema: GraphQLSchema, query: str) -> None:
    document = parse(query)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    price = Pricer(schema, document, operation, {}).price()
    assert price == webhooks.COSTS[query]


def test_a_share_of_a_page_has_at_least_one_row() -> None:
    scaled = Sizes(issues=10, projects=1).scaled(0.01, 250)

    assert (scaled.issues, scaled.projects, scaled.initiatives) == (1, 1, 0)
