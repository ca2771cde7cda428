"""All small changes of a module's source, each as a syntax tree with exactly one of them. Pure."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.LShift: ast.RShift,
}
_ONLY_TOLD = frozenset({"_log", "logging"})
"""What is called for the log alone: no test need notice that a field of a line is missing."""

_NEVER_RUN = frozenset({"annotation", "returns", "decorator_list", "bases", "type_params"})
_SHOWN = 90
"""Characters of a change's text."""

Edit = Callable[[ast.AST], None]


@dataclass(frozen=True)
class Mutant:
    """One change: of the `index`-th node of the tree, in `where` (a function's dotted name), told
    as `change` ("a > b ► a >= b"). `file`, `where` and `change` name it for good: lines move."""

    file: str
    where: str
    change: str
    line: int
    index: int
    edit: Edit

    @property
    def name(self) -> str:
        """How it is called in lists."""
        return f"{self.file} | {self.where} | {self.change}"

    def tree(self, source: str) -> ast.Module:
        """The module with this change in it."""
        tree = ast.parse(source)
        self.edit(list(_walk(tree, ()))[self.index][0])
        return ast.fix_missing_locations(tree)


def mutants(source: str, file: str = "") -> list[Mutant]:
    """Every change of a module, in the order of its lines."""
    found: list[Mutant] = []
    told: Counter[tuple[str, str]] = Counter()
    for index, (node, path) in enumerate(_walk(ast.parse(source), ())):
        where = ".".join(path) or "module"
        for change, line, edit in _edits(node):
            told[where, change] += 1
            times = told[where, change]
            shown = change if times == 1 else f"{change} #{times}"
            found.append(Mutant(file, where, shown, line, index, edit))
    return sorted(found, key=lambda one: one.line)


def _walk(node: ast.AST, path: tuple[str, ...]) -> Iterator[tuple[ast.AST, tuple[str, ...]]]:
    """The nodes that may be changed: no annotation, docstring, decorator, import or log line."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        path = (*path, node.name)
    yield node, path
    for name, value in ast.iter_fields(node):
        if name in _NEVER_RUN:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_left_out(child):
                yield from _walk(child, path)


def _is_left_out(node: ast.AST) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        return node.test.id == "TYPE_CHECKING"
    if isinstance(node, ast.Expr):
        match node.value:
            case ast.Constant():
                return True
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name))):
                return name in _ONLY_TOLD
    return False


def _edits(node: ast.AST) -> Iterator[tuple[str, int, Edit]]:
    """The changes of this one node: what it is, its line, and what makes it."""
    for edit in _of_value(node):
        changed = deepcopy(node)
        edit(changed)
        yield f"{_text(node)} ► {_text(changed)}", getattr(node, "lineno", 0), edit
    if isinstance(node, ast.Call):
        for at, keyword in enumerate(node.keywords):
            if keyword.arg is not None:
                change = f"{_text(node.func)}(…): {_text(keyword)} ► left out"
                yield change, keyword.lineno, _without("keywords", at)
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(node, name, None)
        for at, one in enumerate(statements if isinstance(statements, list) else ()):
            if _may_go(one):
                yield f"{_text(one)} ► left out", one.lineno, _set_in(name, at, ast.Pass())


def _of_value(node: ast.AST) -> Iterator[Edit]:
    match node:
        case ast.Compare(ops=ops):
            for at, compared in enumerate(ops):
                yield _set_in("ops", at, _COMPARED[type(compared)]())
        case ast.BoolOp(op=joined):
            yield _set("op", ast.Or() if isinstance(joined, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield _set("operand", ast.UnaryOp(ast.Not(), operand))
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _COMPUTED:
            yield _set("op", _COMPUTED[type(op)]())
        case ast.Constant(value=bool(value)):
            yield _set("value", not value)
        case ast.Constant(value=int(number) | float(number)):
            yield _set("value", number + 1)
        case ast.IfExp(test=test):
            yield _set("test", ast.UnaryOp(ast.Not(), test))
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield _set("value", ast.Constant(None))


def _may_go(statement: ast.AST) -> bool:
    """Whether a statement can be left out without the next one failing for lack of a name."""
    match statement:
        case ast.Expr(value=value):
            return not _is_left_out(statement) and not isinstance(value, ast.Yield)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.AugAssign():
            return True
        case ast.Return(value=None) | ast.Continue() | ast.Break() | ast.Raise():
            return True
    return False


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _set(name: str, value: object) -> Edit:
    return lambda node: setattr(node, name, deepcopy(value))


def _set_in(name: str, at: int, value: ast.AST) -> Edit:
    def edit(node: ast.AST) -> None:
        getattr(node, name)[at] = deepcopy(value)

    return edit


def _without(name: str, at: int) -> Edit:
    def edit(node: ast.AST) -> None:
        del getattr(node, name)[at]

    return edit


def _text(node: ast.AST) -> str:
    """The node on one line, cut short."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
