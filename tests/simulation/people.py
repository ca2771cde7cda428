"""What people do: in their own work, and to what opsync wrote."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from tests.simulation.company import OWN_COLUMNS, Company, Names, Place, Touch, Twins
from tests.simulation.loop import Time
from tests.simulation.promises import going_places
from tests.support.world import jira_url, linear_url

NASTY = (
    "Bezahlen in einem Schritt",
    "cafe\u0301 vs café",
    "👩‍👩‍👧 checkout 🧾",
    "\u202egnirts desrever",
    "<script>alert(1)</script> [x](javascript:alert(1))",
    "{done} of {total} | {{7*7}}",
    "tab\tand  many   blanks ",
    "x" * 300,
    "新しい支払い",
    "https://harbor.atlassian.net/browse/PAY-2 in a title",
)
WORDS = "we say: nearly there"
"""What people write where opsync's text stands. It is of no form of opsync's."""
_STATUS = ("todo", "in_progress", "done", "canceled")
_LATE_S = 90

Edit = Callable[[Company], object]
Doing = Callable[["People", Company, random.Random], tuple[str, Edit] | None]


class People:
    """Chooses what people do, and does it to both companies at the same moment."""

    def __init__(
        self,
        twins: Twins,
        rng: random.Random,
        fired: Callable[[str], None],
        time: Time,
        told: list[str],
    ) -> None:
        self.twins = twins
        self.rng = rng
        self.fired = fired
        self.time = time
        self.edits = 0
        self.hands = 0
        self.disturbed_at = -1.0
        """When what opsync should have somewhere last came or went."""
        self.told = told

    def work(self) -> str:
        """One thing in people's own work."""
        doing = self.rng.choices(_WORK, [weight for _, weight in _CHOICES])[0]
        return self._do(doing)

    def move_something(self) -> str:
        """What is done most: a status changes."""
        return self._do(_move)

    def _do(
        self, doing: Callable[[People, Company, random.Random], tuple[str, Edit] | None]
    ) -> str:
        chosen = doing(self, self.twins.people, self.rng)
        if chosen is None:
            return ""
        said, edit = chosen
        for company in self.twins.both:
            edit(company)
        self.edits += 1
        self.told.append(f"{self.time.now:9.1f} people: {said}")
        return said

    def disturb(self) -> None:
        """Take note that things come and go now."""
        self.disturbed_at = self.time.now

    def touch(self) -> Place | None:
        """A person changes or removes something of opsync's. Returns where, or None."""
        real, rng = self.twins.real, self.rng
        doing = rng.choices((_cell, _attachment, _remote_link, _project_link), (6, 2, 2, 1))[0]
        going = going_places(real)
        place = doing(real, rng, self.twins.touched, self.time.now)
        if place is not None:
            self.hands += 1
            touched = self.twins.touched
            touched[place] = replace(touched[place], going=place in going)
            left = self.twins.touched[place].value
            self.told.append(f"{self.time.now:9.1f} hand:   {place} is now {left!r}")
        return place


def _issue(company: Company, rng: random.Random) -> str:
    return rng.choice(company.jira_keys())


def _linear(company: Company, rng: random.Random) -> str:
    return rng.choice([one.identifier for one in company.linear_issues()])


def _page(company: Company, rng: random.Random) -> str:
    return rng.choice([one.id for one in company.pages()])


def _move(people: People, company: Company, rng: random.Random) -> tuple[str, Edit]:
    to = rng.choice(_STATUS)
    if rng.random() < 0.6:
        key = _issue(company, rng)
        if company.jira.issue(key).parent_id is not None:
            people.fired("F28")
        return f"{key} to {to}", lambda c: c.jira.poke_move(key, to)
    identifier = _linear(company, rng)
    return f"{identifier} to {to}", lambda c: c.linear.poke_move(identifier, to)


def _late(people: People, company: Company, rng: random.Random) -> tuple[str, Edit]:
    """A change that shows up with an older time than others that were seen before."""
    by = timedelta(seconds=rng.randint(20, _LATE_S))
    people.fired("F25")
    if rng.random() < 0.6:
        key = _issue(company, rng)
        to = rng.choice(_STATUS)

        def edit(c: Company) -> None:
            c.jira.poke_move(key, to)
            issue = c.jira.issue(key)
            c.jira.issues[issue.id] = replace(issue, updated=issue.updated - by)

        return f"{key} to {to}, dated {by} ago", edit
    page_id = _page(company, rng)
    name = rng.choice(NASTY)

    def edit_page(c: Company) -> None:
        page = c.notion.state.pages[page_id]
        c.notion.edit_page(page, "Name", name)
        page.updated -= by

    return f"page renamed, dated {by} ago", edit_page


def _title(people: People, company: Company, rng: random.Random) -> tuple[str, Edit]:
    title = rng.choice(NASTY)
    people.fired("F33")
    which = rng.random()
    if which < 0.4:
        key = _issue(company, rng)
        return f"{key} is called {title!r}", lambda c: c.jira.edit(key, summary=title)
    if which < 0.7:
        one = _linear(company, rng)
        return f"{one} is called {title!r}", lambda c: c.linear.edit(one, title=title)
    page_id = _page(company, rng)
    return f"a page is called {title!r}", lambda c: c.notion.edit_page(
        c.notion.state.pages[page_id], "Name", title
    )


def _new(people: People, company: Company, rng: random.Random) -> tuple[str, Edit]:
    people.disturb()
    which = rng.random()
    if which < 0.4:
        project = rng.choice(("PAY", "MOB"))
        epics = [i.key for i in company.jira.issues.values() if i.issue_type == "Epic"]
        parent = rng.choice([*sorted(epics), None])
        return f"an issue in {project} below {parent}", lambda c: c.jira.add_issue(
            project, "New story", parent=parent
        )
    if which < 0.7:
        named = _issue(company, rng)
        said = f"Waits for {jira_url(named)}" if rng.random() < 0.7 else "nothing"
        return f"a Linear issue that says {said!r}", lambda c: c.linear.add_issue(
            "GRO", "New task", project=c.linear.project("Checkout web"), description=said
        )
    seed = rng.random()
    return "a page", lambda c: c.page("New initiative", c.mention(random.Random(seed)))


def _name_more(people: People, company: Company, rng: random.Random) -> tuple[str, Edit]:
    """What people name comes and goes."""
    people.disturb()
    if rng.random() < 0.6:
        page_id, seed = _page(company, rng), rng.random()

        def edit(c: Company) -> None:
            draw = random.Random(seed)
            text = "nothing yet" if draw.random() < 0.3 else c.mention(draw)
            c.notion.edit_page(c.notion.state.pages[page_id], "Tracked in", text)

        return "a page tracks something else", edit
    one, key = _linear(company, rng), _issue(company, rng)
    if rng.random() < 0.5:
        said = f"See {jira_url(key)}" if rng.random() < 0.7 else "nothing"
        return f"{one} says {said!r}", lambda c: c.linear.edit(one, description=said)
    said = f"See {linear_url(one)}" if rng.random() < 0.7 else "nothing"
    return f"{key} says {said!r}", lambda c: c.jira.edit(key, description=said)


def _remove(people: People, company: Company, rng: random.Random) -> tuple[str, Edit] | None:
    people.disturb()
    people.fired("F29")
    which = rng.random()
    if which < 0.25:
        if len(company.jira.issues) < 6:
            return None
        key = _issue(company, rng)
        return f"{key} is deleted", lambda c: c.jira.delete_issue(key)
    if which < 0.5:
        if len(company.linear.issues) < 4:
            return None
        one = _linear(company, rng)
        how = rng.choice(("trash_issue", "archive_issue"))
        return f"{one}: {how}", lambda c: getattr(c.linear, how)(one)
    if which < 0.75:
        page_id = _page(company, rng)

        def turn(c: Company) -> None:
            page = c.notion.state.pages[page_id]
            (c.notion.restore if page.trashed else c.notion.trash)(page)

        return "a page goes into the trash, or comes out", turn
    key = _issue(company, rng)
    to = "MOB" if key.startswith("PAY") else "PAY"
    return f"{key} moves to {to}", lambda c: c.jira.move_issue(key, to)


def _arrange(people: People, company: Company, rng: random.Random) -> tuple[str, Edit] | None:
    """Work is put below other work, or dated."""
    people.disturb()
    which = rng.random()
    if which < 0.3:
        page_id = _page(company, rng)
        due = date(2026, rng.choice((3, 9, 12)), 15)
        return f"a page is due {due}", lambda c: c.notion.edit_page(
            c.notion.state.pages[page_id], "Due", due
        )
    stories = sorted(i.key for i in company.jira.issues.values() if i.issue_type == "Story")
    epics = sorted(i.key for i in company.jira.issues.values() if i.issue_type == "Epic")
    if not stories or not epics:
        return None
    key, parent = rng.choice(stories), rng.choice(epics)
    if which < 0.6:
        return f"{key} is part of {parent}", lambda c: c.jira.edit(key, parent=parent)
    flagged = rng.random() < 0.6
    return f"{key} flagged {flagged}", lambda c: c.jira.edit(key, flagged=flagged)


def _own_link(people: People, company: Company, rng: random.Random) -> tuple[str, Edit]:
    """A person adds a link of their own, which is nobody else's business."""
    key = _issue(company, rng)
    url = f"https://wiki.harbor.example/{rng.randint(1, 99)}"
    body = {"object": {"url": url, "title": "Notes"}}
    return f"{key} gets a link to the wiki", lambda c: c.jira.put_remote_link(
        c.jira.issue(key).id, body
    )


_CHOICES = (
    (_move, 10),
    (_late, 2),
    (_title, 3),
    (_new, 2),
    (_name_more, 3),
    (_remove, 2),
    (_arrange, 2),
    (_own_link, 1),
)
_WORK = tuple(doing for doing, _ in _CHOICES)


def _cell(
    world: Company, rng: random.Random, touched: dict[Place, Touch], now: float
) -> Place | None:
    columns = [name for name in OWN_COLUMNS if world.source.schema.find(name) is not None]
    filled = [
        (page, name)
        for page in world.pages()
        for name in columns
        if page.cell(name) not in (None, "", ()) and not page.trashed
    ]
    if not filled:
        return None
    page, name = rng.choice(filled)
    value: object = None
    if rng.random() < 0.7:
        value = {"Delivery %": 0.123, "Delivery health": None}.get(name, WORDS)
    world.notion.edit_page(page, name, value)
    place = ("notion", page.id, name)
    column = page.data_source.schema.find(name)
    assert column is not None
    left = page.text(name) if column.type == "select" else page.cell(name)
    touched[place] = Touch(str(left) if left else None, now)
    return place


def _attachment(
    world: Company, rng: random.Random, touched: dict[Place, Touch], now: float
) -> Place | None:
    own = [
        (issue, one)
        for issue in world.linear_issues()
        for one in issue.attachments
        if "opsync" in (one.metadata or {})
    ]
    if not own:
        return None
    issue, one = rng.choice(own)
    world.linear.detach(one)
    names = Names(world)
    place = ("linear", names.linear[issue.id], names.place(one.url))
    touched[place] = Touch(None, now)
    return place


def _remote_link(
    world: Company, rng: random.Random, touched: dict[Place, Touch], now: float
) -> Place | None:
    own = [
        (issue_id, link)
        for issue_id, links in sorted(world.jira.remote_links.items())
        for link in links.values()
        if (link.global_id or "").startswith("opsync:")
    ]
    if not own:
        return None
    issue_id, link = rng.choice(own)
    names = Names(world)
    place = ("jira", names.jira[str(issue_id)], names.place(link.global_id or ""))
    world.jira.remove_remote_link(issue_id, link.id)
    touched[place] = Touch(None, now)
    return place


def _project_link(
    world: Company, rng: random.Random, touched: dict[Place, Touch], now: float
) -> Place | None:
    own = [
        (project, link)
        for project in sorted(world.linear.projects.values(), key=lambda one: one.name)
        for link in project.external_links
        if link.label.startswith("Roadmap")
    ]
    # Where two stand, the other one would still stand.
    count = Counter((project.id, link.url) for project, link in own)
    own = [(project, link) for project, link in own if count[project.id, link.url] == 1]
    if not own:
        return None
    project, link = rng.choice(own)
    world.linear.remove_external_link(link)
    place = ("linear", project.name, Names(world).place(link.url))
    touched[place] = Touch(None, now, link.label)
    return place
