"""What people do in Harbor's tools, and what must stand there in the end."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from opsync.sandbox.harbor import EXPECTED, Harbor
from opsync.sandbox.notion.values import Run, plain

EDITED = {
    "One-tap checkout": ("PAY-107", "PAY-118", "GRO-47", "GRO-48", "GRO-49"),
    "Offline mode": ("MOB-8", "MOB-12", "MOB-15", "MOB-16", "MOB-17"),
    "Fraud rules v2": ("PAY-42", "PAY-44"),
    "Partner API": ("PAY-25", "PAY-28", "PAY-29", "PAY-30"),
    "Churn survey": ("GRO-90", "GRO-98", "GRO-99", "GRO-100", "GRO-101"),
}
"""By initiative some of the issues that count for it, none of them done at first."""
THEIRS = "We ship when Ana says so"
WRITTEN_OVER = "Dark mode"
"""The initiative over whose Delivery a person writes."""
CUT = "PAY-160"
"""The epic from which a person takes opsync's link away."""
DUE = "Warehouse export"


class Company:
    """Harbor's people. They keep their own books of what is done, from which the end is judged."""

    def __init__(self, world: Harbor, rng: random.Random) -> None:
        self.world = world
        self.edits = 0
        self._rng = rng
        self._done: set[str] = set()
        self._plans = self._planned()

    def edit(self) -> None:
        """One thing that a person does."""
        next(self._plans)
        self.edits += 1

    def _planned(self) -> Iterator[None]:
        issues = [item for each in EDITED.values() for item in each]
        while True:
            self._move(self._rng.choice(issues))
            if self.edits == 8:
                self.world.person_edits_delivery(WRITTEN_OVER, THEIRS)
            if self.edits == 12:
                self._take_link_away()
            if self.edits % 7 == 3:
                self._rename(self._rng.choice(["PAY-118", "GRO-44"]))
            if self.edits % 11 == 5:
                day = self.world.today + timedelta(days=self._rng.randint(5, 90))
                self.world.notion.edit_page(self.world.pages[DUE], "Due", day.isoformat())
            yield

    def _move(self, item: str) -> None:
        to = self._rng.choice(("todo", "in_progress") if item in self._done else ("done",))
        vendor = self.world.jira if item.startswith(("PAY", "MOB")) else self.world.linear
        vendor.poke_move(item, to)
        if to == "done":
            self._done.add(item)
        else:
            self._done.discard(item)

    def _rename(self, item: str) -> None:
        vendor = self.world.jira if item.startswith("PAY") else self.world.linear
        vendor.poke_edit(item, "title", f"Renamed {self.edits} times")

    def _take_link_away(self) -> None:
        jira = self.world.jira
        with jira.lock:
            issue = jira.issue(CUT)
            for link in list(jira.remote_links.get(issue.id, {})):
                jira.remove_remote_link(issue.id, link)

    # --- What must stand there

    def delivery(self, title: str) -> str:
        """What stands in a page's column Delivery."""
        page = self.world.pages[title]
        with self.world.notion.lock:
            found = page.data_source.schema.find("Delivery")
            cell = None if found is None else page.cells.get(found.raw_id)
        runs = cell if isinstance(cell, tuple) else ()
        return plain(tuple(run for run in runs if isinstance(run, Run)))

    def missing(self) -> list[str]:
        """Initiatives whose count is not what people's books say."""
        found = []
        for title, items in EDITED.items():
            expected = EXPECTED[title]
            done = expected.done + sum(item in self._done for item in items)
            said = self.delivery(title)
            if not re.match(rf"{done} of {expected.total}\b", said):
                found.append(f"{title}: {said!r}, not {done} of {expected.total}")
        return found

    def stands(self) -> bool:
        """Whether all counts are right."""
        return not self.missing()

    def lost(self) -> list[str]:
        """What people did and opsync did not respect."""
        found = []
        if self.edits > 8 and self.delivery(WRITTEN_OVER) != THEIRS:
            found.append(
                f"a person's text in {WRITTEN_OVER} became {self.delivery(WRITTEN_OVER)!r}"
            )
        back = [one for one in doubled_from(self.world) if one.startswith(f"Jira {CUT} ")]
        if self.edits > 12 and back:
            found.append(f"a link that a person took away is there again: {back[0]}")
        return found

    def doubled(self) -> list[str]:
        """What opsync wrote and that stands somewhere twice."""
        return [name for name, count in Counter(doubled_from(self.world)).items() if count > 1]

    def written(self) -> int:
        """How many links, attachments and annotations there are."""
        return len(doubled_from(self.world))

    def switched_off(self) -> list[str]:
        """Change signals that a tool gave up on."""
        return [
            f"{name} switched its change signals off"
            for name, vendor in self.world.vendors.items()
            if vendor.hooks is not None
            for hook in vendor.hooks.registered.values()
            if not hook.enabled
        ]


def doubled_from(world: Harbor) -> list[str]:
    """Each link, attachment, column and annotation, by what must be there once only."""
    found: list[str] = []
    with world.jira.lock:
        for issue_id, links in world.jira.remote_links.items():
            key = world.jira.issues[issue_id].key
            found += [f"Jira {key} {link.object.get('url')}" for link in links.values()]
    with world.linear.lock:
        truth = world.linear
        for issue in truth.issues.values():
            found += [f"Linear {issue.identifier} {one.url}" for one in issue.attachments]
        for project in truth.projects.values():
            found += [f"Linear {project.name} {one.url}" for one in project.external_links]
    with world.posthog.lock:
        found += [f"PostHog {one.content}" for one in world.posthog.notes]
    return found
