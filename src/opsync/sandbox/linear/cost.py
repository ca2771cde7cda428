"""What a query costs: Linear charges for the page size that is asked for, not for what exists.

A property is 0.1, an object 1, a connection its `first` (50 without one) times its children;
the sum is rounded up (linear.app/developers/rate-limiting). Counted in tenths here.
"""

from __future__ import annotations

from collections.abc import Mapping

from graphql import (
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)
from graphql.language import DirectiveNode, ValueNode

DEFAULT_PAGE = 50
PROPERTY = 1
OBJECT = 10

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
"""A type of which fields are selected."""


class Pricer:
    """The price of one operation with its variables."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, object],
    ) -> None:
        self.schema = schema
        self.operation = operation
        self.fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self.variables = dict(variables)
        for definition in operation.variable_definitions or ():
            name = definition.variable.name.value
            if name not in self.variables and definition.default_value is not None:
                self.variables[name] = self._value(definition.default_value)

    def price(self) -> int:
        """Points, rounded up."""
        root = self.schema.get_root_type(self.operation.operation)
        if root is None:
            return 0
        return -(-self._selection(self.operation.selection_set, root, 1) // OBJECT)

    def _value(self, node: ValueNode | None) -> object:
        if isinstance(node, VariableNode):
            return self.variables.get(node.name.value)
        if isinstance(node, IntValueNode):
            return int(node.value)
        if isinstance(node, BooleanValueNode):
            return node.value
        return None

    def _argument(self, node: FieldNode | DirectiveNode, *names: str) -> object:
        for argument in node.arguments or ():
            if argument.name.value in names:
                value = self._value(argument.value)
                if value is not None:
                    return value
        return None

    def _taken(self, node: FieldNode | FragmentSpreadNode | InlineFragmentNode) -> bool:
        for directive in node.directives or ():
            condition = self._argument(directive, "if")
            if directive.name.value == "include" and condition is False:
                return False
            if directive.name.value == "skip" and condition is True:
                return False
        return True

    def _selection(
        self,
        selection: SelectionSetNode,
        parent: Composite,
        rows: int,
    ) -> int:
        """The children's price; `rows` multiplies what a connection repeats for each row."""
        total = 0
        for node in selection.selections:
            if isinstance(node, FieldNode):
                if self._taken(node):
                    name = node.name.value
                    total += self._field(node, parent) * (rows if name in ("nodes", "edges") else 1)
            elif isinstance(node, FragmentSpreadNode):
                if self._taken(node):
                    fragment = self.fragments[node.name.value]
                    total += self._selection(fragment.selection_set, parent, rows)
            elif isinstance(node, InlineFragmentNode) and self._taken(node):
                total += self._selection(node.selection_set, self._narrowed(node, parent), rows)
        return total

    def _narrowed(self, node: InlineFragmentNode, parent: Composite) -> Composite:
        """The type that an inline fragment is about."""
        named = node.type_condition
        kind = self.schema.get_type(named.name.value) if named is not None else None
        return kind if isinstance(kind, Composite) else parent

    def _field(self, node: FieldNode, parent: Composite) -> int:
        if isinstance(parent, GraphQLUnionType):
            return PROPERTY
        definition = parent.fields.get(node.name.value)
        if definition is None or node.selection_set is None:
            return PROPERTY
        kind = get_named_type(definition.type)
        if not isinstance(kind, Composite):
            return PROPERTY
        if kind.name.endswith("Connection"):
            asked = self._argument(node, "first", "last")
            rows = asked if isinstance(asked, int) else DEFAULT_PAGE
            return self._selection(node.selection_set, kind, rows)
        return OBJECT + self._selection(node.selection_set, kind, 1)
