"""The changes that are made are what they say, and what a test notices counts as noticed."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.mutants import mutants
from tests.mutation.running import ROOT, Job, judge, swap
from tests.mutation.targets import equivalents, targets

EACH = {
    "x = a < b": ["x = a <= b"],
    "x = a >= b": ["x = a > b"],
    "x = a == b != c": ["x = a != b != c", "x = a == b == c"],
    "x = a is None": ["x = a is not None"],
    "x = a in b": ["x = a not in b"],
    "x = a and b": ["x = a or b"],
    "x = not a": ["x = not not a"],
    "x = a + b": ["x = a - b"],
    "x = True": ["x = False"],
    "x = 3": ["x = 4"],
    "x = a if b else c": ["x = a if not b else c"],
    "x = f(a=b)": ["x = f()"],
    "f(a)": ["pass"],
    "a.b = c": ["pass"],
    "a += b": ["a -= b", "pass"],
    "raise a": ["pass"],
    "x = 'text'": [],
    "x: int = a": [],
    "import a": [],
    "'''What it is.'''": [],
    "_log.info('event', a=b)": [],
}


@pytest.mark.parametrize("source", EACH)
def test_each_change_is_made_by_itself(source: str) -> None:
    made = {ast.unparse(one.tree(source)) for one in mutants(source)}
    assert made == set(EACH[source])


def test_what_is_returned_is_dropped_and_where_it_was_is_told() -> None:
    source = "class A:\n    def f(self) -> int:\n        return self.x\n"
    (one,) = mutants(source, "a.py")
    assert one.name == "a.py | A.f | return self.x ► return None"
    assert one.line == 3


def test_two_changes_of_one_text_have_names_of_their_own() -> None:
    found = mutants("def f(a, b):\n    g(a < b)\n    h(a < b)\n")
    names = [one.name for one in found]
    assert len(set(names)) == len(names) == 4


@pytest.mark.parametrize("name", targets())
def test_what_is_changed_and_judged_by_is_there(name: str) -> None:
    target = targets()[name]
    paths = [*target.files, *target.near, *target.further]
    assert [path for path in paths if not (ROOT / path).is_file()] == []


def test_what_is_said_to_change_nothing_is_still_there_to_be_changed() -> None:
    names = {
        one.name
        for target in targets().values()
        for file in target.files
        for one in mutants((ROOT / file).read_text(encoding="utf-8"), file)
    }
    same = equivalents()
    assert sorted(same.keys() - names) == []
    assert all(len(why) > 20 for why in same.values())


def _job(source: str, change: str) -> Job:
    (one,) = [one for one in mutants(source) if one.change == change]
    path = () if one.where == "module" else tuple(one.where.split("."))
    return Job(change, "opsync.folding", source, path, lambda: one.tree(source))


def test_only_what_is_inside_a_function_is_swapped() -> None:
    source = "X = 1\n\n\nclass A:\n    y = 2\n\n    def f(self, a=3):\n        return a > 4\n"
    inside = swap(_job(source, "a > 4 ► a >= 4"))
    assert inside is not None
    assert inside[0] == ("A", "f")
    assert [swap(_job(source, c)) for c in ("1 ► 2", "2 ► 3", "3 ► 4")] == [None] * 3


_RUN = """
import json, sys
from pathlib import Path
from tests.mutation.__main__ import _job
from tests.mutation.mutants import mutants
from tests.mutation.running import judge

wanted = ["len(secret) < SHORTEST ► len(secret) <= SHORTEST", "6 ► 7", "return False ► return None"]
found = mutants(Path("src/opsync/redact.py").read_text(), "src/opsync/redact.py")
jobs = [_job(one) for one in found if one.change in wanted]
ran = judge(jobs, [sys.argv[1]], 2)
print(json.dumps({name.rpartition(" | ")[2]: one.state for name, one in ran.items()}))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_change_is_noticed_in_a_function_and_outside_or_it_is_not(tmp_path: Path) -> None:
    test = tmp_path / "test_short.py"
    test.write_text(
        "from opsync.redact import Redactor\n\n\n"
        "def test_it():\n    assert Redactor().add('123456')\n    assert not Redactor().add('1')\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", _RUN, str(test)], cwd=ROOT, check=True, capture_output=True
    ).stdout
    assert json.loads(said) == {
        "len(secret) < SHORTEST ► len(secret) <= SHORTEST": "failed",
        "6 ► 7": "failed",
        "return False ► return None": "passed",
    }


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_is_concluded_where_the_tests_fail_by_themselves(tmp_path: Path) -> None:
    test = tmp_path / "test_bad.py"
    test.write_text("def test_it():\n    assert False\n")
    with pytest.raises(RuntimeError, match="without any change"):
        judge([_job("x = 1", "1 ► 2")], [str(test)], 1)
