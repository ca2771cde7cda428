"""README and docs hold: their commands, links, tables and promises are there in the program."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import tomllib
from datetime import date
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
import pytest

import opsync
import opsync.stages
from opsync import errors, pipeline
from opsync.blocks.wording import WordingBlock
from opsync.cli.root import EXIT_CODES, GROUPS, STOPPED, UNEXPECTED, root
from opsync.languages import DATE, TEXTS
from opsync.languages.words import load
from opsync.model import Health, Ref, Rollup, Space
from opsync.wording import delivery

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONNECTORS = sorted(point.name for point in entry_points(group="opsync"))
FLOW = "pull ► normalize ► store ► link ► measure ► roll up ► plan ► limit ► apply"

_BLOCK = re.compile(r"^[ ]*```(\w*)\n(.*?)^[ ]*```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(opsync [^`]+)`")
_CALL = re.compile(r"(?:^|\s)(?:\S*/)?opsync (?=[a-z]|--[a-z])(.*)$")
_END = re.compile(r"\s(?:&&|\||\d?>>?|#)\s?.*$")
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def calls_in(page: str) -> list[str]:
    """What stands after `opsync` wherever a page calls it."""
    lines = [
        line.strip()
        for language, block in _BLOCK.findall(page)
        if language in {"sh", "console"}
        for line in block.splitlines()
    ]
    lines += _INLINE.findall(_BLOCK.sub("", page))
    found = (_CALL.search(part) for line in lines for part in re.split(r"\s&&\s", line))
    return [_END.sub("", match[1]) for match in found if match]


CALLS = sorted({call for page in PAGES for call in calls_in(page.read_text(encoding="utf-8"))})


def complaint(call: str) -> str:
    """What the program has against a call; "" if it would take it."""
    context = click.Context(root, info_name="opsync")
    command: click.Command = root
    words = shlex.split(call)
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            name, _, value = word.partition("=")
            option = next(
                (p for p in command.get_params(context) if name in (*p.opts, *p.secondary_opts)),
                None,
            )
            if option is None:
                return f"{command.name} has no option {name}"
            if not value and isinstance(option, click.Option) and not option.is_flag:
                value = words.pop(0) if words else ""
            if isinstance(option.type, click.Choice) and value not in option.type.choices:
                return f"{name} takes {', '.join(map(str, option.type.choices))}, not {value!r}"
        elif isinstance(command, click.Group):
            inner = command.get_command(context, word)
            if inner is None:
                return f"{command.name} has no command {word}"
            command = inner
            context = click.Context(command, info_name=word, parent=context)
        elif not any(isinstance(p, click.Argument) for p in command.get_params(context)):
            return f"{command.name} takes no argument {word!r}"
    return ""


def test_calls_are_found_in_blocks_and_in_lines() -> None:
    block = "```sh\ncd x && .venv/bin/opsync sync --json >>a 2>>b\nls opsync .\n```"
    page = f"`opsync plan` and\n{block}\n"
    assert calls_in(page) == ["sync --json", "plan"]


@pytest.mark.parametrize(
    "call", ["nothing", "sync --no-such", "sync --mode all", "sync everything", "config nothing"]
)
def test_a_wrong_call_is_noticed(call: str) -> None:
    assert complaint(call)


@pytest.mark.parametrize("call", CALLS)
def test_every_call_in_the_docs_is_one_that_the_program_takes(call: str) -> None:
    assert complaint(call) == ""


def test_the_readme_lists_exactly_the_commands_there_are() -> None:
    table = README.partition("## Commands")[2].partition("\n## ")[0]
    listed = re.findall(r"^\|[^|]*\| `opsync ([a-z]+)", table, re.MULTILINE)
    assert listed == [name for commands in GROUPS.values() for name in commands]


def test_the_exit_codes_are_those_of_the_errors() -> None:
    table = README.partition("## Exit codes")[2].partition("\n## ")[0]
    told = [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)]
    raised = {
        error.exit_code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.OpsyncError)
    }
    assert told == [4, 2, 3, 5, 1, 0, 70, 130], "in the order in which they count"
    assert raised | {0, UNEXPECTED, STOPPED} == set(told)
    assert {int(code) for code in re.findall(r"\b(\d+)(?= [a-z])", EXIT_CODES)} == {*told, 10}


@pytest.mark.parametrize(
    "text",
    [README, (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), pipeline.__doc__],
    ids=["README", "architecture", "pipeline"],
)
def test_the_stages_stand_in_their_order_wherever_they_are_told(text: str) -> None:
    assert FLOW in text


def test_the_stages_run_in_the_order_in_which_they_are_told() -> None:
    assert FLOW in (opsync.stages.__doc__ or "")
    steps = [name for name in _called(pipeline.run_pass) if name != "finish"]
    at = steps.index("decide")
    steps[at : at + 1] = [name for name in _called(pipeline.decide) if name != "look_around"]
    assert steps == [
        "pull_all",
        "link_changed",
        "measure_changed",
        "roll_up_changed",
        "plan_changed",
        "within_limits",
        "apply_all",
    ]


def _called(function: object) -> list[str]:
    """What a function calls by its plain name, in order."""
    tree = ast.parse(inspect.getsource(function))  # type: ignore[arg-type]
    called = [
        (node.lineno, node.func.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    return [name for _, name in sorted(called)]


def test_the_layers_are_told_as_they_are_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    checked = [re.split(r" [|] ", layer) for layer in _layers(project)]
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    chain = page.partition("## Layers")[2].partition(". Each imports")[0]
    assert [re.findall(r"`(\w+)`", layer) for layer in chain.split(">")] == checked


def _layers(project: dict[str, Any]) -> list[str]:
    contracts = project["tool"]["importlinter"]["contracts"]
    layers: list[str] = next(one for one in contracts if one.get("containers") == ["opsync"])[
        "layers"
    ]
    return layers


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("guarantees", "## What opsync does not promise"),
        ("security", "## What it does not do"),
    ],
)
def test_every_promise_names_a_test_that_holds_it(name: str, end: str) -> None:
    page = (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
    promises, found, _ = page.partition(end)
    assert found
    paragraphs = [part for part in re.split(r"\n\s*\n", promises) if part.startswith("**")]
    assert paragraphs
    assert [part.splitlines()[0] for part in paragraphs if not _TEST.search(part)] == []


def test_every_test_that_is_named_exists() -> None:
    missing = []
    for page in PAGES:
        for file, name in _TEST.findall(page.read_text(encoding="utf-8")):
            path = ROOT / file
            if not path.is_file() or not re.search(
                rf"^(async )?def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE
            ):
                missing.append(f"{file}::{name}")
    assert missing == []


FAULTS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "docs/faults.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"[|] F\d\d ", line)
]
NEEDS_A_PROCESS = {"F10", "F11", "F12", "F13", "F46", "F47", "F48", "F49", "F50"}
"""Faults that need a real process, socket or disk: tests inject them, each named by its number."""


def test_every_fault_has_its_row_and_a_test_or_the_simulation() -> None:
    assert [row[0] for row in FAULTS] == [f"F{number:02d}" for number in range(1, 51)]
    assert [row[0] for row in FAULTS if len(row) != 6 or not all(row)] == []
    unheld = [row[0] for row in FAULTS if not _TEST.search(row[4]) and row[4] != "there is none"]
    assert [name for name in unheld if _row(name)[5] != name] == []


@pytest.mark.parametrize("fault", sorted(NEEDS_A_PROCESS))
def test_a_fault_that_needs_a_process_is_injected_by_tests_that_name_it(fault: str) -> None:
    tests = _TEST.findall(_row(fault)[4])
    assert tests
    for file, name in tests:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        [test] = [
            node
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        ]
        assert fault in (ast.get_docstring(test) or ""), f"{file}::{name}"


def _row(fault: str) -> list[str]:
    return next(row for row in FAULTS if row[0] == fault)


# Troubles and invariants --------------------------------------------------------------------------

_ROW = re.compile(r"^[|] (I?\d+) [|] (.+) [|]$", re.MULTILINE)
_NUMBER = re.compile(r"Trouble \d+|[FI]\d+")
ANSWERED = [*range(1, 14), 15, *range(20, 27), 30, 32]
"""The troubles to which there is an answer that a test shows."""


def numbered(page: str) -> dict[str, str]:
    """The rows of a page that begin with a number, or with I and a number."""
    return dict(_ROW.findall((ROOT / "docs" / page).read_text(encoding="utf-8")))


TROUBLES = {f"Trouble {number}": row for number, row in numbered("troubles.md").items()}
INVARIANTS = numbered("guarantees.md")
HELD = sorted(
    (number, file, name)
    for number, row in {**TROUBLES, **INVARIANTS}.items()
    for file, name in _TEST.findall(row)
)


def numbers_of(docstring: str) -> set[str]:
    """What stands before the colon of its first line: "Trouble 1, I7: also in a ring."."""
    head = docstring.partition("\n")[0].partition(":")[0]
    parts = head.split(", ")
    return set(parts) if all(_NUMBER.fullmatch(part) for part in parts) else set()


def test_only_numbers_before_a_colon_are_numbers() -> None:
    assert numbers_of("Trouble 1, I7, F42: round a ring.\n\nI8: no.") == {"Trouble 1", "I7", "F42"}
    assert numbers_of("I13") == {"I13"}
    assert numbers_of("I7 is what this shows, and F42: both.") == set()
    assert numbers_of("") == set()


def test_every_trouble_and_every_invariant_has_its_row_and_a_test() -> None:
    assert list(TROUBLES) == [f"Trouble {number}" for number in ANSWERED]
    assert list(INVARIANTS) == [f"I{number}" for number in range(1, 21)]
    assert {number for number, _, _ in HELD} == {*TROUBLES, *INVARIANTS}


@pytest.mark.parametrize(("number", "file", "name"), HELD)
def test_a_test_of_a_trouble_or_an_invariant_names_it(number: str, file: str, name: str) -> None:
    found = [
        ast.get_docstring(node) or ""
        for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    ]
    assert [number in numbers_of(docstring) for docstring in found] == [True], f"{file}::{name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("connector", CONNECTORS)
def test_every_bundled_connector_has_a_page_with_token_scope_reads_writes_and_limits(
    connector: str,
) -> None:
    page = (ROOT / "docs" / f"{connector}.md").read_text(encoding="utf-8")
    titles = re.findall(r"^## (.+)$", page, re.MULTILINE)
    signals = ["Change signals"] if connector in ("jira", "linear", "notion") else []
    assert titles == ["Token", "Scope", "What is read", "What is written", *signals, "Limits"]
    assert f"(docs/{connector}.md)" in README


def test_the_changelog_has_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert any(opsync.__version__ in heading for heading in headings)


@pytest.mark.parametrize("ending", ["opsync demo", "pytest -n auto"])
def test_the_readme_sets_up_and_runs_with_one_line_each(ending: str) -> None:
    assert len(re.findall(rf"^python3 -m venv .*{ending}$", README, re.MULTILINE)) == 1


@pytest.fixture(scope="module")
def pins() -> dict[str, dict[str, str]]:
    """Package versions by file."""
    return {
        path.name: dict(
            re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        )
        for path in sorted((ROOT / "requirements").glob("*.txt"))
    }


def test_every_dependency_is_pinned(pins: dict[str, dict[str, str]]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    wanted = {
        "runtime.txt": project["project"]["dependencies"],
        "dev.txt": [one for one in groups["dev"] if isinstance(one, str)],
        "build.txt": groups["build"],
    }
    for file, dependencies in wanted.items():
        names = {re.split(r"[<>=~! ;\[]", one)[0].lower().replace("_", "-") for one in dependencies}
        assert names - set(pins[file]) == set(), file


def test_what_is_tested_is_what_is_shipped(pins: dict[str, dict[str, str]]) -> None:
    for file in ("runtime.txt", "build.txt"):
        assert pins[file].items() <= pins["dev.txt"].items(), file


@pytest.mark.parametrize("file", ["runtime.txt", "dev.txt", "build.txt"])
def test_pins_have_hashes_and_name_no_registry(file: str) -> None:
    text = (ROOT / "requirements" / file).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


# Wording ------------------------------------------------------------------------------------------

WORDING = (ROOT / "docs/wording.md").read_text(encoding="utf-8")


def rows_of(section: str) -> list[list[str]]:
    """The rows of a section's table, without its head."""
    text = WORDING.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_every_text_is_on_the_page_with_its_place_and_fields() -> None:
    assert rows_of("Texts") == [
        [f"`{name}`", spec.about, ", ".join(f"`{{{one}}}`" for one in spec.names) or "none"]
        for name, spec in TEXTS.items()
    ]


def test_every_field_is_on_the_page_with_what_it_is() -> None:
    assert rows_of("Fields") == [
        [f"`{name}`", f"`{{{one.name}}}`", one.about + (" (may be empty)" if one.optional else "")]
        for name, spec in TEXTS.items()
        for one in spec.fields
    ]
    assert rows_of("Dates") == [[f"`{{{one.name}}}`", one.about] for one in DATE]


def test_both_languages_are_on_the_page_as_they_are() -> None:
    english, german = load("en"), load("de")
    assert rows_of("Both languages") == [
        [f"`{name}`", f"`{english.texts[name]}`", f"`{german.texts[name]}`"] for name in TEXTS
    ]
    assert rows_of("Single words") == [
        [f"`{table}.{key}`", *(f"{one[key]}, {inline[key]}" for one, inline in words)]
        for table, words in (
            (
                "health",
                [(english.health, english.health_inline), (german.health, german.health_inline)],
            ),
            (
                "status",
                [(english.status, english.status_inline), (german.status, german.status_inline)],
            ),
        )
        for key in words[0][0]
    ]


def test_the_texts_that_may_be_empty_are_those_on_the_page() -> None:
    told = WORDING.partition("That is possible\n  for ")[2].partition(".")[0]
    assert re.findall(r"`(\w+)`", told) == [name for name, spec in TEXTS.items() if spec.drop]


def test_the_examples_of_templates_are_right() -> None:
    whole, single = (block for language, block in _BLOCK.findall(WORDING) if language == "toml")
    wording = tomllib.loads(whole)["wording"]
    shown = WordingBlock(**wording).words()
    rollup = Rollup(
        rule="roadmap",
        root=Ref("notion", "page", "1"),
        counts={},
        done=12,
        total=20,
        progress=0.6,
        blocked=3,
        spaces=(Space("Payments", 8, 12), Space("Growth", 4, 8)),
        due_on=date(2026, 12, 1),
        health=Health.at_risk,
    )
    assert f"of One-tap checkout: {delivery(rollup, words=shown)}\n" in WORDING
    assert WordingBlock(texts=tomllib.loads(single)).words().text("due", date="1 Dec") == ""
