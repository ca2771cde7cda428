"""What came of taking back: what was, what was left, and the columns that went with it."""

from __future__ import annotations

from dataclasses import dataclass, field

from opsync.errors import SignInError
from opsync.model import WRITTEN, Change, MadeColumn, Outcome, Slot
from opsync.model.undo import Back, Left


@dataclass(frozen=True, slots=True)
class LeftSlot:
    """A slot that was left as it is, and why; `wrote` should stand there, and `back` was to."""

    slot: Slot
    back: Back
    left: Left
    message: str = ""


@dataclass(frozen=True, slots=True)
class LeftColumn:
    """A column that stays, and why; "" for an instance whose columns could not be looked at."""

    instance: str
    name: str
    why: str


@dataclass(slots=True)
class TakenBack:
    """What came of taking back: `run` is the run that did it, 0 where it was only looked at."""

    run: int = 0
    done: list[tuple[Change, Outcome]] = field(default_factory=list)
    left: list[LeftSlot] = field(default_factory=list)
    signed_out: bool = False
    columns: list[tuple[str, MadeColumn]] = field(default_factory=list)
    """The columns that were taken away, or would be, each with its instance."""
    columns_left: list[LeftColumn] = field(default_factory=list)
    made: list[tuple[str, MadeColumn]] = field(default_factory=list)
    """Columns that were made again, for what was put back into them."""
    would: list[Change] = field(default_factory=list)
    """What would be taken back, where it was only looked at."""

    @property
    def written(self) -> list[Change]:
        """What was taken back."""
        return [change for change, outcome in self.done if outcome.kind in WRITTEN]

    @property
    def exit_code(self) -> int:
        """3 where a sign-in was refused, 1 where something was left that was to be taken back."""
        if self.signed_out:
            return SignInError.exit_code
        left = any(one.left.why != "as before" for one in self.left)
        return 1 if left or self.columns_left else 0
