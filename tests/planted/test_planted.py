"""The planted bugs are there to be planted, and a bug that nothing notices is told."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.planted import page
from tests.planted.__main__ import main
from tests.planted.catalog import ROOT, Bug, DoesNotApply, bugs

BUGS = bugs()
PAGE = page.PAGE.read_text(encoding="utf-8")


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own() -> None:
    names = [one.name for one in BUGS]
    assert len(set(names)) == len(names) >= 30


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_it_still_applies_and_is_still_python(bug: Bug) -> None:
    source = (ROOT / bug.file).read_text(encoding="utf-8")
    planted = bug.planted(source)
    assert ast.dump(ast.parse(planted)) != ast.dump(ast.parse(source))
    assert all((ROOT / test.partition("::")[0]).is_file() for test in bug.tests)


def test_the_page_tells_of_exactly_these() -> None:
    told = {name: (mistake, harm) for name, (mistake, harm, _) in page.rows(PAGE).items()}
    assert told == {one.name: (one.mistake, one.harm) for one in BUGS}
    assert f"Here are {len(BUGS)} mistakes" in PAGE
    run = page.last_run(PAGE)
    assert run == "" or f"planted all {len(BUGS)};" in run


def test_the_page_is_as_it_is_written() -> None:
    by = {name: test for name, (_, _, test) in page.rows(PAGE).items()}
    assert page.written(BUGS, by, page.last_run(PAGE)) == PAGE


def _bug(old: str, new: str) -> Bug:
    return Bug("one", "a mistake", "harm", "src/opsync/__init__.py", old, new, ["tests/test_it.py"])


def test_a_text_that_is_there_twice_or_never_does_not_apply() -> None:
    with pytest.raises(DoesNotApply, match="2 times"):
        _bug("a", "b").planted("a a")
    with pytest.raises(DoesNotApply, match="0 times"):
        _bug("c", "b").planted("a a")


Project = Callable[[Bug], int]


@pytest.fixture
def plant(tmp_path: Path) -> Project:
    """Plants a bug into a project of one function, one near test and one further test."""
    (tmp_path / "src" / "opsync").mkdir(parents=True)
    (tmp_path / "src" / "opsync" / "__init__.py").write_text(
        "def larger(a, b):\n    return a if a > b else b\n\n\nUNUSED = 1\n"
    )
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_it.py").write_text(
        "from opsync import larger\n\n\ndef test_one():\n    assert larger(2, 1) == 2\n"
    )
    (tests / "test_more.py").write_text(
        "from opsync import larger\n\n\ndef test_two():\n    assert larger(1, 2) == 2\n"
    )
    (tests / "planted").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -ra\n")
    return lambda bug: main(["--jobs", "1"], root=tmp_path, known=[bug])


@pytest.mark.slow
def test_a_bug_that_the_near_tests_notice_is_caught(
    plant: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plant(_bug("a > b", "a < b")) == 0
    assert "caught   one" in (said := capsys.readouterr().out)
    assert "tests/test_it.py::test_one" in said


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_bug_that_only_a_further_test_notices_is_caught(
    plant: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plant(_bug("a if a > b else b", "a")) == 0
    assert "tests/test_more.py::test_two (none of the nearest)" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_bug_that_nothing_notices_fails(
    plant: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plant(_bug("UNUSED = 1", "UNUSED = 2")) == 1
    assert "NOT NOTICED: one (survived)" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_bug_that_does_not_apply_or_breaks_the_module_fails(
    plant: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plant(_bug("a >= b", "a < b")) == 1
    assert "0 times" in capsys.readouterr().err
    assert plant(_bug("UNUSED = 1", "import nothing_of_this_name")) == 1
    assert "NOT NOTICED: one (broken)" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_is_concluded_where_the_tests_fail_by_themselves(
    plant: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tests" / "test_it.py").write_text("def test_one():\n    assert False\n")
    assert plant(_bug("a > b", "a < b")) == 2
    assert "fail without any mistake" in capsys.readouterr().err
