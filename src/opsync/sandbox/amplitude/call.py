"""A request that passed the gate, and how its parts are read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from opsync.sandbox.amplitude.problems import Problem

if TYPE_CHECKING:
    from opsync.sandbox.amplitude.project import AmplitudeProject

Answer: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the gate; `ids` are the variable parts of its path."""

    project: AmplitudeProject
    ids: tuple[str, ...]
    params: dict[str, str]
    body: dict[str, object]

    def moment(self, value: object, name: str) -> datetime:
        """An ISO 8601 moment with its offset. Raises Problem."""
        try:
            at = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise Problem(400, f"Invalid field: {name}")
        return at
