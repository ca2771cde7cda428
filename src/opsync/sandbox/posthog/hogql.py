"""The part of HogQL that the simulated project understands: parsing.

https://posthog.com/docs/sql. What is not understood is refused, as the vendor refuses what it
cannot parse; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from opsync.sandbox.posthog.problems import Problem, invalid

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.|'')*')|(?P<number>\d+)|(?P<word>[A-Za-z_$][\w$]*)"
    r"|(?P<sign>>=|<=|!=|[=<>(){},.*]))"
)
_CLAUSES = {"select", "from", "where", "group", "by", "order", "limit", "union", "all"}
_RESERVED = _CLAUSES | {"as", "and", "in", "not", "distinct", "asc", "desc"}


@dataclass(frozen=True, slots=True)
class Const:
    """A literal, or what a placeholder stands for."""

    value: object


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or a property in one: ("properties", "$feature_flag")."""

    chain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function; `distinct` belongs to count."""

    name: str
    arguments: tuple[Expr, ...]
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Compare:
    """Two operands; `sign` is =, !=, <, <=, >, >=, in or not in."""

    sign: str
    left: Expr
    right: Expr


Expr: TypeAlias = Const | Field | Call | Compare


@dataclass(frozen=True, slots=True)
class Column:
    """A selected expression and what it is called."""

    expr: Expr
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """One SELECT. `source` is a table's name, the parts of a union in brackets, or "" for none;
    `where` are conditions that all hold."""

    columns: tuple[Column, ...]
    source: str | tuple[Select, ...]
    where: tuple[Expr, ...] = ()
    group_by: tuple[Expr, ...] = ()
    order_by: tuple[tuple[Expr, bool], ...] = ()
    limit: int | None = None


def parse(text: str, values: Mapping[str, object]) -> Select:
    """A query with its placeholders filled in. Raises Problem where it is not understood."""
    parser = _Parser(_tokens(text), values)
    query = parser.select()
    parser.end()
    return query


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _syntax(text[at : at + 20].strip())
        tokens.append(found.group().strip())
        at = found.end()
    return tokens


def _syntax(near: str) -> Problem:
    return invalid(f"Syntax error at or near {near!r}", code="illegal_hogql")


class _Parser:
    def __init__(self, tokens: list[str], values: Mapping[str, object]) -> None:
        self._tokens = tokens
        self._values = values
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        if not token:
            raise _syntax("the end")
        self._at += 1
        return token

    def _skip(self, *words: str) -> bool:
        """Take these tokens if they come next."""
        following = self._tokens[self._at : self._at + len(words)]
        if [token.lower() for token in following] != list(words):
            return False
        self._at += len(words)
        return True

    def _need(self, *words: str) -> None:
        if not self._skip(*words):
            raise _syntax(self._peek() or "the end")

    def end(self) -> None:
        if self._peek():
            raise _syntax(self._peek())

    def select(self) -> Select:
        self._need("select")
        columns = [self._column()]
        while self._skip(","):
            columns.append(self._column())
        source: str | tuple[Select, ...] = ""
        if self._skip("from"):
            source = self._union() if self._skip("(") else self._name()
        where = []
        if self._skip("where"):
            where.append(self._comparison())
            while self._skip("and"):
                where.append(self._comparison())
        group_by, order_by = [], []
        if self._skip("group", "by"):
            group_by.append(self._operand())
            while self._skip(","):
                group_by.append(self._operand())
        if self._skip("order", "by"):
            order_by.append(self._ordering())
            while self._skip(","):
                order_by.append(self._ordering())
        limit = self._number() if self._skip("limit") else None
        return Select(tuple(columns), source, tuple(where), tuple(group_by), tuple(order_by), limit)

    def _union(self) -> tuple[Select, ...]:
        parts = [self.select()]
        while self._skip("union", "all"):
            parts.append(self.select())
        self._need(")")
        return tuple(parts)

    def _column(self) -> Column:
        expr = self._operand()
        if self._skip("as"):
            return Column(expr, self._name())
        return Column(expr, expr.chain[-1] if isinstance(expr, Field) else "")

    def _ordering(self) -> tuple[Expr, bool]:
        expr = self._operand()
        if self._skip("desc"):
            return expr, True
        self._skip("asc")
        return expr, False

    def _comparison(self) -> Expr:
        left = self._operand()
        if self._skip("not", "in"):
            return Compare("not in", left, self._operand())
        if self._skip("in"):
            return Compare("in", left, self._operand())
        sign = self._take()
        if sign not in ("=", "!=", "<", "<=", ">", ">="):
            raise _syntax(sign)
        return Compare(sign, left, self._operand())

    def _operand(self) -> Expr:
        if self._skip("{"):
            name = self._name()
            self._need("}")
            if name not in self._values:
                raise invalid(f"Unresolved placeholder: {{{name}}}", code="illegal_hogql")
            return Const(self._values[name])
        if self._skip("("):
            items = [self._constant()]
            while self._skip(","):
                items.append(self._constant())
            self._need(")")
            return Const(items)
        token = self._peek()
        if token.startswith("'") or token.isdigit():
            return Const(self._constant())
        name = self._name()
        if self._skip("("):
            return self._call(name)
        chain = [name]
        while self._skip("."):
            chain.append(self._name())
        return Field(tuple(chain))

    def _call(self, name: str) -> Call:
        distinct = self._skip("distinct")
        arguments: list[Expr] = []
        if not self._skip(")"):
            arguments.append(self._operand())
            while self._skip(","):
                arguments.append(self._operand())
            self._need(")")
        return Call(name, tuple(arguments), distinct)

    def _constant(self) -> object:
        token = self._take()
        if token.isdigit():
            return int(token)
        if not token.startswith("'"):
            raise _syntax(token)
        return re.sub(r"\\(.)|''", lambda m: m[1] or "'", token[1:-1])

    def _number(self) -> int:
        token = self._take()
        if not token.isdigit():
            raise _syntax(token)
        return int(token)

    def _name(self) -> str:
        token = self._take()
        if not (token[0].isalpha() or token[0] in "_$") or token.lower() in _RESERVED:
            raise _syntax(token)
        return token
