"""What people state against what is measured: where the two contradict each other. Pure."""

from opsync.disagreements.fine import says_fine
from opsync.disagreements.status import of_initiative
from opsync.disagreements.values import FACTS, Disagreement, DisagreementKind, Fact
from opsync.disagreements.work import (
    OLDEST,
    Share,
    SpaceShare,
    done_with_open_parts,
    link_on_one_side,
    owner_left,
    share_of,
    work_without_initiative,
)

__all__ = [
    "FACTS",
    "OLDEST",
    "Disagreement",
    "DisagreementKind",
    "Fact",
    "Share",
    "SpaceShare",
    "done_with_open_parts",
    "link_on_one_side",
    "of_initiative",
    "owner_left",
    "says_fine",
    "share_of",
    "work_without_initiative",
]
