"""A GraphQL schema as a checker of logged requests and answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    get_directive_values,
    get_variable_values,
    parse,
    validate,
)

from opsync.sandbox.vendor import Exchange

if TYPE_CHECKING:
    from opsync.sandbox.validate import Report

_SHOWN_PROBLEMS = 3
_INT32 = 2**31

_Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


def load(path: Path) -> GraphQLSchema:
    """The schema at `path`, built once a process and version of the file."""
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _load(path: Path, _version: int) -> GraphQLSchema:
    return build_schema(path.read_text(encoding="utf-8"), assume_valid=True)


def check(schema: GraphQLSchema, exchange: Exchange, report: Report) -> None:
    """Check one POST of `{query, variables, operationName}` and its answer."""
    try:
        body = json.loads(exchange.request_body)
        document = _document(body["query"])
        operation = _operation(document, body.get("operationName"))
    except (ValueError, KeyError, TypeError, GraphQLError) as reason:
        report.problem(exchange, f"the request cannot be run: {reason}")
        return
    report.requests += 1
    for error in validate(schema, document)[:_SHOWN_PROBLEMS]:
        report.problem(exchange, f"the query: {error.message}")
    variables = get_variable_values(
        schema, operation.variable_definitions or (), body.get("variables") or {}
    )
    if isinstance(variables, list):
        for wrong in variables[:_SHOWN_PROBLEMS]:
            report.problem(exchange, f"a variable: {wrong.message}")
        return
    if exchange.faulted:
        report.skipped["answer made by a fault"] += 1
        return
    try:
        answer = json.loads(exchange.answer_body)
    except ValueError:
        report.problem(exchange, "the answer is no JSON")
        return
    report.answers += 1
    root = schema.get_root_type(operation.operation)
    if not isinstance(answer, dict) or not answer.keys() & {"data", "errors"}:
        report.problem(exchange, "the answer has neither data nor errors")
    elif answer.get("data") is None:
        if not answer.get("errors"):
            report.problem(exchange, "no data and no errors")
    elif root is not None:
        walk = _Walk(schema, _fragments(document), variables)
        for number, problem in enumerate(
            walk.composite(root, [operation.selection_set], answer["data"], "data")
        ):
            if number == _SHOWN_PROBLEMS:
                break
            report.problem(exchange, problem)


@lru_cache(maxsize=256)
def _parsed(text: str) -> DocumentNode:
    return parse(text)


def _document(text: object) -> DocumentNode:
    if not isinstance(text, str):
        raise ValueError("no query")
    return _parsed(text)


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    found = [
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
        and (name is None or (node.name is not None and node.name.value == name))
    ]
    if len(found) != 1:
        raise ValueError(f"{len(found)} operations fit the name {name!r}")
    return found[0]


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }


@dataclass(frozen=True, slots=True)
class _Walk:
    """Follows the selection through an answer and yields what cannot be."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    variables: Any  # VariableValues, or a mapping before graphql-core 3.3

    def composite(
        self,
        kind: _Composite,
        selections: list[SelectionSetNode],
        value: object,
        where: str,
    ) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where}: an object of {kind.name} is expected"
            return
        concrete = self._concrete(kind, value)
        selected: dict[str, list[FieldNode]] = {}
        for selection in selections:
            self._collect(selection, concrete, selected)
        for key in value.keys() - selected.keys():
            yield f"{where}.{key}: was not asked for"
        for key, nodes in selected.items():
            name = nodes[0].name.value
            if key not in value:
                yield f"{where}.{key}: is missing"
            elif name == "__typename":
                if value[key] != concrete.name:
                    yield f"{where}.{key}: {value[key]!r} cannot be here"
            elif not isinstance(concrete, GraphQLUnionType) and name in concrete.fields:
                below = [node.selection_set for node in nodes if node.selection_set is not None]
                yield from self.value(
                    concrete.fields[name].type, below, value[key], f"{where}.{key}"
                )

    def value(
        self, kind: object, below: list[SelectionSetNode], value: object, where: str
    ) -> Iterator[str]:
        if isinstance(kind, GraphQLNonNull):
            if value is None:
                yield f"{where}: null, but the type is {kind}"
                return
            kind = kind.of_type
        if value is None:
            return
        if isinstance(kind, GraphQLList):
            if not isinstance(value, list):
                yield f"{where}: a list is expected"
                return
            for number, part in enumerate(value):
                yield from self.value(kind.of_type, below, part, f"{where}[{number}]")
        elif isinstance(kind, _Composite):
            yield from self.composite(kind, below, value, where)
        elif isinstance(kind, GraphQLEnumType):
            if value not in kind.values:
                yield f"{where}: {value!r} is no {kind.name}"
        elif isinstance(kind, GraphQLScalarType) and not _fits(kind.name, value):
            yield f"{where}: {value!r} is no {kind.name}"

    def _concrete(
        self,
        kind: GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType,
        value: dict[str, Any],
    ) -> GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType:
        if isinstance(kind, GraphQLObjectType):
            return kind
        named = self.schema.get_type(str(value.get("__typename", "")))
        return named if isinstance(named, GraphQLObjectType) else kind

    def _collect(
        self, selection: SelectionSetNode, kind: Any, into: dict[str, list[FieldNode]]
    ) -> None:
        for node in selection.selections:
            if self._left_out(node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                into.setdefault(key, []).append(node)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                if self._applies(fragment.type_condition.name.value, kind):
                    self._collect(fragment.selection_set, kind, into)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                if condition is None or self._applies(condition.name.value, kind):
                    self._collect(node.selection_set, kind, into)

    def _applies(self, condition: str, kind: Any) -> bool:
        if condition == kind.name:
            return True
        wider = self.schema.get_type(condition)
        return (
            isinstance(wider, GraphQLInterfaceType | GraphQLUnionType)
            and isinstance(kind, GraphQLObjectType)
            and self.schema.is_sub_type(wider, kind)
        )

    def _left_out(self, node: Any) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        if skip and skip["if"]:
            return True
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return include is not None and not include["if"]


def _fits(name: str, value: object) -> bool:
    if name == "Boolean":
        return isinstance(value, bool)
    if name == "Int":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and -_INT32 <= int(str(value)) < _INT32
    if name == "Float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if name in {"String", "ID"}:
        return isinstance(value, str)
    return True
