"""Rules for the code that no linter here knows: how it speaks SQL, retries, fails and decodes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from opsync.blocks import General
from opsync.contract.settings import ConnectorSettings, secret_fields
from opsync.plugins import load

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(path for part in ("src", "plugins") for path in (ROOT / part).rglob("*.py"))
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|PRAGMA|FROM|WHERE|VALUES)\b")


@cache
def _all(tree: ast.AST) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(tree))


def nodes(tree: ast.AST, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    return (node for node in _all(tree) if isinstance(node, kinds))


def called(node: ast.Call) -> str:
    """The name that is called: "Path.open" and "open" are both "open"."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


# SQL ----------------------------------------------------------------------------------------------


def _is_constant(node: ast.expr) -> bool:
    """A literal, a constant of a module, or what is made of these alone."""
    if isinstance(node, ast.Call):
        return _is_constant(node.func) and all(map(_is_constant, node.args)) and not node.keywords
    if isinstance(node, ast.Attribute):
        return _is_constant(node.value)
    return isinstance(node, ast.Constant) or (
        isinstance(node, ast.Name) and CONSTANT.fullmatch(node.id) is not None
    )


def made_of_values(tree: ast.AST) -> Iterator[str]:
    """Every text with SQL in it that is put together from anything but constants."""
    for node in nodes(tree, ast.JoinedStr, ast.BinOp, ast.Call):
        if isinstance(node, ast.JoinedStr):
            texts = [part.value for part in node.values if isinstance(part, ast.Constant)]
            parts = [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            parts = [node.left, node.right]
            texts = [part.value for part in parts if isinstance(part, ast.Constant)]
        elif isinstance(node, ast.Call) and called(node) == "format":
            assert isinstance(node.func, ast.Attribute)
            texts = [node.func.value.value] if isinstance(node.func.value, ast.Constant) else []
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
        else:
            continue
        told = any(isinstance(text, str) and SQL.search(text) for text in texts)
        if told and not all(map(_is_constant, parts)):
            yield f"line {node.lineno}: {ast.unparse(node)[:80]}"


@pytest.mark.parametrize(
    "code",
    ['f"SELECT a WHERE b = {b}"', '"DELETE FROM t WHERE x = " + x', '"UPDATE %s" % t',
     '"INSERT INTO {}".format(t)'],
)  # fmt: skip
def test_a_statement_that_is_made_of_a_value_is_noticed(code: str) -> None:
    assert list(made_of_values(ast.parse(code)))
    assert not list(made_of_values(ast.parse('f"SELECT a {_WHERE}" + _ORDER')))


def test_every_value_in_sql_is_bound() -> None:
    store = {name: tree for name, tree in TREES.items() if name.startswith("src/opsync/store/")}
    assert len(store) > 20
    found = {name: list(made_of_values(tree)) for name, tree in store.items()}
    assert {name: each for name, each in found.items() if each} == {}


def test_what_marks_places_for_values_takes_their_number_only() -> None:
    from opsync.store.codec import marked

    assert marked("x IN (*)", ["'; DROP TABLE records; --", "b"]) == "x IN (?,?)"


# What runs code -----------------------------------------------------------------------------------

RUNS = {"eval", "exec", "compile", "__import__", "system", "popen"}
LOADS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "xml", "telnetlib"}
IMPORTS = {"src/opsync/plugins.py"}
"""The loader of plugins runs the code that the configuration names: that is what it is for."""


def test_nothing_that_is_read_is_ever_run() -> None:
    found = []
    for name, tree in TREES.items():
        for node in nodes(tree, ast.Call):
            assert isinstance(node, ast.Call)
            plain = isinstance(node.func, ast.Name)
            module = getattr(getattr(node.func, "value", None), "id", "")
            if called(node) in RUNS and (plain or module == "os"):
                found.append(f"{name}:{node.lineno} {called(node)}")
            if called(node) == "exec_module" and name not in IMPORTS:
                found.append(f"{name}:{node.lineno} exec_module")
            if called(node) == "load" and module == "yaml":
                loader = next((k.value for k in node.keywords if k.arg == "Loader"), None)
                if name != "src/opsync/sandbox/validate_mixpanel.py" or loader is None:
                    found.append(f"{name}:{node.lineno} yaml.load")
            if any(k.arg == "shell" for k in node.keywords):
                found.append(f"{name}:{node.lineno} shell")
        for node in nodes(tree, ast.Import, ast.ImportFrom):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                assert isinstance(node, ast.ImportFrom)
                modules = [node.module or ""]
            found += [f"{name}: {m}" for m in modules if m.split(".")[0] in LOADS]
    assert found == []


# TLS ----------------------------------------------------------------------------------------------


def test_nothing_turns_the_check_of_certificates_off() -> None:
    off = re.compile(r"verify\s*=\s*False|CERT_NONE|check_hostname|_create_unverified|verify_mode")
    found = [str(path) for path in FILES if off.search(path.read_text(encoding="utf-8"))]
    assert found == []


def test_only_the_pool_and_the_sandbox_s_remote_control_make_http_clients() -> None:
    makers = {
        name
        for name, tree in TREES.items()
        for node in nodes(tree, ast.Call)
        if isinstance(node, ast.Call)
        and called(node) in {"AsyncClient", "Client", "urlopen"}
        and getattr(getattr(node.func, "value", None), "id", "") in {"httpx", "request", "urllib"}
    }
    assert makers == {"src/opsync/http/pool.py", "src/opsync/sandbox/client.py"}


# Retries and failures -----------------------------------------------------------------------------


def test_every_retry_ends_is_spread_and_names_what_it_repeats() -> None:
    found = [
        (name, node)
        for name, tree in TREES.items()
        for node in nodes(tree, ast.Call)
        if isinstance(node, ast.Call) and re.fullmatch(r"(Async)?Retrying|retry", called(node))
    ]
    assert [name for name, _ in found] == ["src/opsync/http/client.py"], "retry in one layer only"
    for name, node in found:
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        assert given.keys() >= {"stop", "wait", "retry"}, name
        assert "stop_after_attempt" in given["stop"], name
        assert "wait_none" not in given["wait"], name
        assert "wait_fixed" not in given["wait"], name
        assert given["retry"] == "retry_if_exception(lambda error: self._may_retry(call, error))", (
            name
        )
    (judge,) = [
        node
        for node in nodes(TREES["src/opsync/http/client.py"], ast.FunctionDef)
        if isinstance(node, ast.FunctionDef) and node.name == "_may_retry"
    ]
    first = next(node for node in judge.body if isinstance(node, ast.If))
    assert ast.unparse(first) == ("if not isinstance(error, TemporaryError):\n    return False"), (
        "what is not for the moment only is not sent again"
    )


def swallows(handler: ast.ExceptHandler) -> bool:
    """Whether a handler keeps to itself what ends a task or the process."""
    kinds = "" if handler.type is None else ast.unparse(handler.type)
    ends = {"BaseException", "CancelledError", "KeyboardInterrupt", "GeneratorExit"}
    if handler.type is not None and not any(kind in kinds for kind in ends):
        return False
    last = handler.body[-1]
    return not (isinstance(last, ast.Raise) and last.exc is None)


@pytest.mark.parametrize(
    ("code", "bad"),
    [
        ("try: x\nexcept: pass", True),
        ("try: x\nexcept BaseException: y", True),
        ("try: x\nexcept (ValueError, asyncio.CancelledError): return_", True),
        ("try: x\nexcept BaseException:\n  y\n  raise", False),
        ("try: x\nexcept Exception: pass", False),
    ],
)
def test_a_handler_that_swallows_a_cancellation_is_noticed(code: str, bad: bool) -> None:
    (handler,) = (n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.ExceptHandler))
    assert swallows(handler) is bad


def test_no_cancellation_is_swallowed() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        for node in nodes(tree, ast.ExceptHandler)
        if isinstance(node, ast.ExceptHandler) and swallows(node)
    ]
    assert found == []
    suppressed = [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        for node in nodes(tree, ast.Call)
        if isinstance(node, ast.Call)
        and called(node) == "suppress"
        and any(word in ast.unparse(node) for word in ("BaseException", "CancelledError"))
    ]
    assert suppressed == []


def test_every_exception_to_a_rule_of_security_has_its_reason() -> None:
    rule = re.compile(r"#\s*(?:noqa|nosec)\b(?P<rest>.*)$", re.MULTILINE)
    bare = []
    for path in FILES:
        for found in rule.finditer(path.read_text(encoding="utf-8")):
            coded = re.match(r":\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*\s+-{1,2}\s+\S.{4,}", found["rest"])
            if not coded:
                bare.append(f"{path.name}: {found[0]}")
    assert bare == []


# Settings -----------------------------------------------------------------------------------------


def test_no_refusal_of_a_setting_repeats_its_value() -> None:
    types = [General]
    names = ["amplitude", "jira", "linear", "mixpanel", "notion", "posthog"]
    connectors = load(wanted=names).connectors
    assert sorted(connectors) == names
    types += [ConnectorSettings, *(one.settings_type for one in connectors.values())]  # type: ignore[list-item]
    for one in types:
        assert one.model_config.get("hide_input_in_errors") is True, one
    for name, tree in TREES.items():
        for node in nodes(tree, ast.Call):
            assert isinstance(node, ast.Call)
            if called(node) == "errors" and isinstance(node.func, ast.Attribute):
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert given.get("include_input") == given.get("include_context") == "False", name


def test_every_setting_that_sounds_like_a_secret_is_one() -> None:
    names = ["amplitude", "jira", "linear", "mixpanel", "notion", "posthog"]
    found = {}
    for name, one in load(wanted=names).connectors.items():
        secret = set(secret_fields(one.settings_type))
        sounds = {
            field
            for field in one.settings_type.model_fields
            if re.search(r"token$|secret|password|_key$", field)
        }
        found[name] = secret
        assert sounds <= secret, name
    assert found["amplitude"] == {"api_key", "secret_key", "management_key"}
    assert all(found.values())
