"""`[[team]]`, `[[person]]` and `[twins]`: how this company works, whatever its tools say."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from opsync.blocks.base import Block
from opsync.model import Category
from opsync.model.rules import PersonRule, TeamRule, TeamScope, TwinSettings

Word = Annotated[str, Field(min_length=1, max_length=200)]


class TeamScopeBlock(Block):
    """`[[team.scope]]`: work that is a team's. All conditions that are given must hold."""

    instance: str
    """The instance whose work it is."""

    spaces: tuple[Word, ...] = ()
    """Only work of these projects, teams or data sources, by key or name."""

    labels: tuple[Word, ...] = ()
    """Only work that has one of these labels."""


class TeamBlock(Block):
    """`[[team]]`: what one team means by its fields and words. The first that fits counts."""

    name: Word
    """What the team is called in reports: "Payments 8/12"."""

    scope: tuple[TeamScopeBlock, ...] = Field(min_length=1)
    """Which work is the team's, in one tool or in several."""

    private: bool = False
    """Whether the team's work is private: counted, and shown elsewhere as `expose` says."""

    estimate: Literal["points", "hours", "none"] | None = None
    """The field in which the team estimates. Left out: points, where the tool has them."""

    blocked: tuple[Literal["link", "flag", "label", "status"], ...] | None = None
    """What says that open work is blocked. Left out: as the instance's settings have it."""

    blocked_labels: tuple[Word, ...] = ()
    """The labels that say so, if `blocked` has "label"."""

    blocked_statuses: tuple[Word, ...] = ()
    """The status ids or names that say so, if `blocked` has "status"."""

    subtasks: bool = True
    """Whether sub-tasks count. Without, the item that they are part of counts by itself."""

    statuses: dict[Word, Category] = Field(default_factory=dict)
    """Status ids or names, or resolutions, and the category each counts as in this team."""

    @model_validator(mode="after")
    def _says_what_blocks(self) -> Self:
        for kind, named in (("label", self.blocked_labels), ("status", self.blocked_statuses)):
            many = f"blocked_{kind}s" if kind == "label" else "blocked_statuses"
            listed = self.blocked is not None and kind in self.blocked
            if listed and not named:
                raise ValueError(f'blocked has "{kind}", and {many} names none')
            if named and not listed:
                raise ValueError(f'{many} has no effect unless blocked has "{kind}"')
        return self

    def rule(self) -> TeamRule:
        """The same, as the pure stages take it."""
        return TeamRule(
            name=self.name,
            scope=tuple(TeamScope(one.instance, one.spaces, one.labels) for one in self.scope),
            private=self.private,
            estimate=self.estimate,
            blocked=None if self.blocked is None else frozenset(self.blocked),
            blocked_labels=frozenset(self.blocked_labels),
            blocked_statuses=frozenset(self.blocked_statuses),
            subtasks=self.subtasks,
            statuses=dict(self.statuses),
        )


class PersonBlock(Block):
    """`[[person]]`: one person under all names that the tools have for them."""

    name: Word
    """What the person is called in reports."""

    known_as: tuple[Word, ...] = Field(min_length=1)
    """Addresses, names, or "instance:id": everything that is this person."""

    def rule(self) -> PersonRule:
        """The same, as the pure stages take it."""
        return PersonRule(self.name, self.known_as)


class TwinsBlock(Block):
    """`[twins]`: work that a mirror keeps alike in two tools."""

    prefer: tuple[str, ...] = ()
    """The instances whose side counts, the most preferred first. Left out: the original, as the
    mirror names it; else the instance that is configured first."""

    footers: tuple[Word, ...] = ()
    """What your mirror writes below its copies, with {item} for the key or link of the original:
    "Copied from {item} by Shuttle". Unito's, and "Mirrored from …" and "Synced from …" in the last
    lines, are known."""

    @model_validator(mode="after")
    def _name_an_item(self) -> Self:
        for footer in self.footers:
            if footer.count("{item}") != 1 or len(footer) < len("{item}") + 5:
                raise ValueError(f'"{footer}" must have {{item}} once, and words beside it')
        return self

    def settings(self) -> TwinSettings:
        """The same, as the pure stages take it."""
        return TwinSettings(self.prefer, self.footers)
