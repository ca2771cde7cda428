"""How far a pass has come: bars on a terminal, few plain lines elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from opsync.cli.progress import progress
from opsync.model import Change, Outcome, OutcomeKind, Ref, Slot, Verb
from opsync.plugins import Plugins, load
from tests.cli.toy import Toy
from tests.support.clock import FakeClock


class Terminal(io.StringIO):
    """A stream that people look at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def plugins() -> Plugins:
    return load(wanted=())


def _change() -> Change:
    ref = Ref("work", "item", "1")
    return Change(id="1", slot=Slot(ref, "link", "links", ref), verb=Verb.create, desired="x")


def test_in_a_pipe_a_long_read_tells_where_it_is_now_and_then(
    plugins: Plugins, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trouble 11"""
    clock = FakeClock()
    with progress(plugins, clock, writes=True) as told:
        told("work", 100, 1200)
        clock.advance(2)
        told("work", 200, 1200)
        clock.advance(4)
        told("work", 300, 1200)
        told("work", 400, None)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == ["work: 300 of about 1,200 read"]


def test_on_a_terminal_reading_and_writing_have_bars(
    plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    hook = plugins.manager.hook
    with progress(plugins, FakeClock(), writes=True) as told:
        told(Toy.name, 300, 1200)
        assert hook.veto_change(change=_change()) is None
        outcome = Outcome(change="1", kind=OutcomeKind.created)
        hook.change_applied(change=_change(), outcome=outcome)
    shown = terminal.getvalue()
    assert "reading toy" in shown
    assert "300/1200" in shown
    assert "writing" in shown
    assert "1/1" in shown
    assert plugins.manager.get_plugins() == set()
