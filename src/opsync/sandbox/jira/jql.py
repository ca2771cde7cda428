"""The part of JQL that a sync needs: parsed, checked and evaluated over simulated issues."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from opsync.sandbox.jira.values import ISSUE_TYPES, Issue

MAX_ORDER_FIELDS = 7
"""Jira refuses more sort fields for enhanced search."""

_T = TypeVar("_T")
Test = Callable[[Issue], bool]
Position = list[int | str]
"""Where an issue stands in an order: one number or text a sort field, its id last."""


class JqlError(ValueError):
    """Jira refuses the query; the message is what it would say."""


@dataclass(frozen=True, slots=True)
class Query:
    """A checked query: which issues, in which order."""

    matches: Test
    bounded: bool
    order: tuple[tuple[str, bool], ...]
    """(field, descending) pairs; empty: newest first."""

    def position(self, issue: Issue) -> Position:
        parts: Position = []
        for field, _ in self._order():
            parts.extend(_SORT[field](issue))
        return parts

    def compare(self, left: Position, right: Position) -> int:
        """Negative, zero or positive as `left` comes before, at or after `right`."""
        at = 0
        for field, descending in self._order():
            width = 2 if field == "key" else 1
            a, b = left[at : at + width], right[at : at + width]
            at += width
            if a != b:
                before = -1 if a < b else 1
                return -before if descending else before
        return 0

    def arrange(self, issues: Sequence[Issue]) -> list[tuple[Position, Issue]]:
        placed = [(self.position(issue), issue) for issue in issues]
        order = functools.cmp_to_key(self.compare)
        return sorted(placed, key=lambda pair: order(pair[0]))

    def _order(self) -> tuple[tuple[str, bool], ...]:
        return (*(self.order or (("created", True),)), ("id", False))


@dataclass(frozen=True, slots=True)
class Site:
    """What a query may refer to."""

    now: datetime
    zone: ZoneInfo
    find_issue: Callable[[str], Issue | None]
    """By id, key or earlier key; None when it is missing or hidden."""
    find_project: Callable[[str], str | None]
    """The key of the project with this key, id or name."""
    find_status: Callable[[str], int | None]
    """The id of the status with this id or name."""


def parse(jql: str, site: Site) -> Query:
    """Parse a query. JqlError: not JQL, unknown names, or outside the part simulated here."""
    return _Parser(_tokens(jql), site).query()


_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<op>>=|<=|!=|=|>|<|\(|\)|,)
    |(?P<word>[^\s()=<>!,"']+))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    quoted: bool = False

    def word(self) -> str:
        return "" if self.quoted else self.text.upper()


def _tokens(jql: str) -> list[_Token]:
    tokens, at, text = [], 0, jql.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise JqlError(f"Error in the JQL Query: unexpected character at {at + 1}.")
        at = match.end()
        if match["quoted"]:
            inner = re.sub(r"\\(.)", r"\1", match["quoted"][1:-1])
            tokens.append(_Token(inner, quoted=True))
        else:
            tokens.append(_Token(match["op"] or match["word"]))
    return tokens


_FIELDS = {
    "project": "project",
    "updated": "updated",
    "updateddate": "updated",
    "created": "created",
    "createddate": "created",
    "resolved": "resolved",
    "resolutiondate": "resolved",
    "key": "key",
    "issuekey": "key",
    "issue": "key",
    "id": "key",
    "labels": "labels",
    "status": "status",
    "statuscategory": "statuscategory",
    "issuetype": "issuetype",
    "type": "issuetype",
    "parent": "parent",
}

_SORT: dict[str, Callable[[Issue], Position]] = {
    "updated": lambda issue: [_micros(issue.updated)],
    "created": lambda issue: [_micros(issue.created)],
    "key": lambda issue: [issue.project_key, issue.number],
    "id": lambda issue: [issue.id],
}
_SORT_NAMES = {
    "updated": "updated",
    "updateddate": "updated",
    "created": "created",
    "createddate": "created",
    "key": "key",
    "issuekey": "key",
    "id": "id",
}

_COMPARE = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "!=": operator.ne,
}

_CATEGORY_NAMES = {
    "to do": "new",
    "in progress": "indeterminate",
    "done": "done",
    "new": "new",
    "indeterminate": "indeterminate",
    "2": "new",
    "4": "indeterminate",
    "3": "done",
}

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}


class _Parser:
    def __init__(self, tokens: list[_Token], site: Site) -> None:
        self._tokens = tokens
        self._site = site
        self._at = 0

    def query(self) -> Query:
        bounded = bool(self._tokens) and self._tokens[0].word() != "ORDER"
        matches: Test = self._either() if bounded else lambda _: True
        order = self._order() if self._take("ORDER") else ()
        if self._at < len(self._tokens):
            self._fail()
        return Query(matches, bounded, order)

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._expect("BY")
        fields = []
        while True:
            name = self._next().text.lower()
            if name not in _SORT_NAMES:
                raise JqlError(f"Not able to sort using field '{name}'.")
            descending = self._take("DESC")
            if not descending:
                self._take("ASC")
            fields.append((_SORT_NAMES[name], descending))
            if not self._take(","):
                break
        if len(fields) > MAX_ORDER_FIELDS:
            raise JqlError(f"The query orders by more than {MAX_ORDER_FIELDS} fields.")
        return tuple(fields)

    def _either(self) -> Test:
        tests = [self._both()]
        while self._take("OR"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda issue: any(test(issue) for test in tests)

    def _both(self) -> Test:
        tests = [self._one()]
        while self._take("AND"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda issue: all(test(issue) for test in tests)

    def _one(self) -> Test:
        if self._take("NOT"):
            inner = self._one()
            return lambda issue: not inner(issue)
        if self._take("("):
            inner = self._either()
            self._expect(")")
            return inner
        return self._clause()

    def _clause(self) -> Test:
        token = self._next()
        field = _FIELDS.get(token.text.lower())
        if field is None:
            raise JqlError(
                f"Field '{token.text}' does not exist or you do not have permission to view it."
            )
        if self._take("IS"):
            negated = self._take("NOT")
            if not (self._take("EMPTY") or self._take("NULL")):
                self._fail()
            present = _PRESENT.get(field, _always)
            return present if negated else lambda issue: not present(issue)
        if self._take("NOT"):
            self._expect("IN")
            inner = self._any_of(field, self._list())
            return lambda issue: not inner(issue)
        if self._take("IN"):
            return self._any_of(field, self._list())
        sign = self._next().text
        if sign not in _COMPARE:
            self._at -= 1
            self._fail()
        value = self._next()
        if field in {"updated", "created", "resolved"}:
            return self._dated(field, sign, value)
        if sign not in {"=", "!="}:
            raise JqlError(f"The operator '{sign}' is not supported by the '{token.text}' field.")
        equal = self._any_of(field, [value])
        return equal if sign == "=" else lambda issue: not equal(issue)

    def _list(self) -> list[_Token]:
        self._expect("(")
        values = [self._next()]
        while self._take(","):
            values.append(self._next())
        self._expect(")")
        return values

    def _any_of(self, field: str, values: list[_Token]) -> Test:
        names = [value.text for value in values]
        if field == "project":
            keys = {self._known("project", name, self._site.find_project) for name in names}
            return lambda issue: issue.project_key in keys
        if field == "status":
            ids = {self._known("status", name, self._site.find_status) for name in names}
            return lambda issue: issue.status.id in ids
        if field in {"key", "parent"}:
            numbers = {self._known(field, name, self._issue_id) for name in names}
            if field == "parent":
                return lambda issue: issue.parent_id in numbers
            return lambda issue: issue.id in numbers
        if field == "labels":
            labels = set(names)
            return lambda issue: not labels.isdisjoint(issue.labels)
        if field == "statuscategory":
            wanted = {self._known(field, name.lower(), _CATEGORY_NAMES.get) for name in names}
            return lambda issue: issue.status.category in wanted
        if field == "issuetype":
            types = {self._known(field, name, _issue_type) for name in names}
            return lambda issue: issue.issue_type in types
        raise JqlError(f"The operator 'in' is not supported by the '{field}' field.")

    def _issue_id(self, name: str) -> int | None:
        issue = self._site.find_issue(name)
        return None if issue is None else issue.id

    def _known(self, field: str, name: str, find: Callable[[str], _T | None]) -> _T:
        found = find(name)
        if found is None:
            raise JqlError(f"The value '{name}' does not exist for the field '{field}'.")
        return found

    def _dated(self, field: str, sign: str, value: _Token) -> Test:
        bound = self._moment(field, value)
        compare = _COMPARE[sign]

        def test(issue: Issue) -> bool:
            moment: datetime | None = getattr(issue, field)
            return moment is not None and bool(compare(moment, bound))

        return test

    def _moment(self, field: str, value: _Token) -> datetime:
        """Unquoted digits are epoch milliseconds; quoted dates are in the caller's time zone."""
        text = value.text
        if text.isdecimal() and not value.quoted:
            return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(text))
        if relative := re.fullmatch(r"([+-]?)(\d+)([wdhm])", text):
            span = timedelta(**{_UNITS[relative[3]]: int(relative[2])})
            return self._site.now + (span if relative[1] == "+" else -span)
        for form in ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y-%m-%d"):
            try:
                local = datetime.strptime(text, form)  # noqa: DTZ007 - the zone follows
            except ValueError:
                continue
            return local.replace(tzinfo=self._site.zone)
        raise JqlError(
            f"Date value '{text}' for field '{field}' is invalid. Valid formats include: "
            "'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period "
            "format e.g. '-5d', '4w 2d'."
        )

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            self._fail()
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at].word() == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            self._fail()

    def _fail(self) -> None:
        found = self._tokens[self._at].text if self._at < len(self._tokens) else "the end"
        raise JqlError(f"Error in the JQL Query: '{found}' was not expected here.")


def _issue_type(name: str) -> str | None:
    """The issue type with this id or name."""
    for known, (number, _) in ISSUE_TYPES.items():
        if name == number or name.lower() == known.lower():
            return known
    return None


def _always(_: Issue) -> bool:
    return True


_PRESENT: dict[str, Test] = {
    "labels": lambda issue: bool(issue.labels),
    "parent": lambda issue: issue.parent_id is not None,
    "resolved": lambda issue: issue.resolved is not None,
}


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
