"""The executable schema: the part of Linear's that a sync uses, names, types and nullability kept.

Nullability matters: a mutation's payload is non-null, so in an aliased batch one failure leaves
no `data` at all, while the aliases before it were carried out and those after it were not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    OperationType,
    build_schema,
    parse,
    validate,
)

from opsync.sandbox.linear.mutations import MUTATIONS
from opsync.sandbox.linear.resolvers import FIELDS
from opsync.sandbox.linear.webhooks import MUTATIONS as HOOK_MUTATIONS
from opsync.sandbox.linear.webhooks import QUERIES as HOOK_QUERIES


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """The schema with its resolvers, built once a process."""
    text = files("opsync.sandbox.linear").joinpath("schema.graphql").read_text("utf-8")
    built = build_schema(text)
    roots = {"Query": FIELDS["Query"] | HOOK_QUERIES, "Mutation": MUTATIONS | HOOK_MUTATIONS}
    for type_name, resolvers in {**FIELDS, **roots}.items():
        kind = built.type_map[type_name]
        if not isinstance(kind, GraphQLObjectType):
            raise TypeError(f"{type_name} is no object type")
        for field_name, resolver in resolvers.items():
            kind.fields[field_name].resolve = resolver
    metadata = built.type_map["ExternalEntityInfoMetadata"]
    if not isinstance(metadata, GraphQLUnionType):
        raise TypeError("ExternalEntityInfoMetadata is no union")
    # The only service that is simulated.
    metadata.resolve_type = lambda *_: "ExternalEntityInfoJiraMetadata"
    return built


@dataclass(frozen=True, slots=True)
class Query:
    """A query text, read: either a valid document, or why it is none."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation to run; None if there is none of that name, or no way to choose."""
        if self.document is None:
            return None
        found = [
            each
            for each in self.document.definitions
            if isinstance(each, OperationDefinitionNode)
            and (name is None or (each.name is not None and each.name.value == name))
        ]
        return found[0] if len(found) == 1 else None

    def writes(self, name: str | None) -> bool:
        """Whether running it may change something."""
        operation = self.operation(name)
        return operation is not None and operation.operation is OperationType.MUTATION


@lru_cache(maxsize=128)
def read_query(text: str) -> Query:
    """Parse and check a query text; clients send few different ones, so the answer is kept."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return Query(None, (error,))
    return Query(document, tuple(validate(schema(), document)))
