"""What an instance remembers of its own columns."""

from __future__ import annotations

import pytest

from opsync import Value
from opsync_notion.memory import Memory, OwnColumn


@pytest.mark.parametrize("for_good", [False, True])
def test_a_word_about_a_column_does_not_meet_the_one_that_was_made_in_its_place(
    for_good: bool,
) -> None:
    kept: dict[str, Value] = {}
    memory = Memory(kept)
    memory.add_columns("table", {"work": OwnColumn("new", "Work")})
    memory.forget_column("table", "work", "old", for_good=for_good)
    assert Memory(kept).columns("table") == {"work": OwnColumn("new", "Work")}
    memory.forget_column("table", "work", "new", for_good=for_good)
    after = OwnColumn("new", "Work", away=for_good, given_up=not for_good)
    assert Memory(kept).columns("table") == {"work": after}
