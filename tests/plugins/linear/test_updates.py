"""Project updates: only if asked for, only when the health changes, at most one a day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from opsync.languages import Changed, OwnWords, words_of
from opsync.model import Health, OutcomeKind, Record, Value
from opsync.sandbox.linear import LinearWorkspace
from tests.plugins.linear.conftest import PAGE, Connect, apply, change, rollup_content
from tests.support.clock import FakeClock
from tests.support.connector import read

DAY_S = 86_400


class Project:
    """One project whose health is written again and again."""

    def __init__(self, linear: Any, target: Record) -> None:
        self.linear = linear
        self.target = target
        self.applied: Value = None
        self.remote_id = ""

    async def write(self, health: Health, **more: str) -> OutcomeKind:
        value = self.linear.render("update", self.target, rollup_content(health=health, **more))
        wanted = change(
            self.target,
            "update",
            value,
            before=self.applied,
            remote_id=self.remote_id,
            other=PAGE,
        )
        (outcome,) = (await apply(self.linear, [wanted])).values()
        assert outcome.applied == value
        self.applied, self.remote_id = outcome.applied, outcome.remote_id
        return outcome.kind


async def make(workspace: LinearWorkspace, connect: Connect) -> Project:
    workspace.add_project("Checkout web", teams=["GRO"])
    linear = connect(workspace, project_updates=True)
    return Project(linear, (await read(linear))["Checkout web"])


async def test_none_is_wanted_unless_asked_for(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    workspace.add_project("Checkout web", teams=["GRO"])
    linear = connect(workspace)
    target = (await read(linear))["Checkout web"]

    assert linear.render("update", target, rollup_content()) is None


async def test_a_health_without_a_word_in_linear_is_not_posted(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    project = await make(workspace, connect)
    content = rollup_content(health=Health.no_linked_work)

    assert project.linear.render("update", project.target, content) is None


async def test_the_first_value_is_noted_and_the_next_one_posted(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    project = await make(workspace, connect)

    assert await project.write(Health.on_track) is OutcomeKind.unchanged
    assert workspace.project_updates == {}
    (seen,) = await project.linear.observe(project.target)
    assert (seen.plain(), seen.remote_id) == (project.applied, project.remote_id)

    assert await project.write(Health.off_track) is OutcomeKind.updated
    (update,) = workspace.project_updates.values()
    assert update.health == "offTrack"
    assert "[opsync]" in update.body
    assert "https://www.notion.so/9b1c" in update.body


async def test_an_update_is_worded_as_configured(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    project = await make(workspace, connect)
    words = OwnWords(words_of("de", Changed(texts={"project_update": "{health} – {link}"})))
    project.linear.context = replace(project.linear.context, words=words)
    await project.write(Health.on_track)

    await project.write(Health.off_track)

    (update,) = workspace.project_updates.values()
    link = "[Roadmap: One-tap checkout](https://www.notion.so/9b1c)"
    assert update.body == f"in Verzug – {link}\n\n[opsync]"


async def test_a_title_names_nobody_and_ends_no_link(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    """Whoever is named in an update is told of it: by an at sign, or by their profile's address."""
    project = await make(workspace, connect)
    await project.write(Health.on_track)
    profile = "https://linear.app/harbor/profiles/ben"
    title = f"@ben {profile} ](https://evil.example) | <b> #x `y` **z**"
    address = "https://www.notion.so/9b1c)[x](https://evil.example"

    await project.write(Health.off_track, title=title, url=address)

    (update,) = workspace.project_updates.values()
    shown = update.body.partition("\n")[0]
    text, _, rest = shown.removeprefix("[").partition("](")
    assert text == (
        r"\@ben https\://linear.app/harbor/profiles/ben \]\(https\://evil.example\) \|"
        r" \<b\> \#x \`y\` \*\*z\*\*"
    )
    assert rest.startswith("https://www.notion.so/9b1c%29[x]%28https://evil.example)")


async def test_other_words_alone_post_nothing(workspace: LinearWorkspace, connect: Connect) -> None:
    project = await make(workspace, connect)
    await project.write(Health.on_track)
    project.linear.context = replace(project.linear.context, words=OwnWords(words_of("de")))

    assert await project.write(Health.on_track) is OutcomeKind.unchanged
    assert workspace.project_updates == {}


async def test_a_second_change_on_the_same_day_edits_that_days_update(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    project = await make(workspace, connect)
    await project.write(Health.on_track)
    await project.write(Health.at_risk)
    await project.write(Health.off_track)
    assert [u.health for u in workspace.project_updates.values()] == ["offTrack"]

    clock.advance(DAY_S)
    await project.write(Health.on_track)

    assert [u.health for u in workspace.project_updates.values()] == ["offTrack", "onTrack"]


async def test_a_later_update_of_a_person_shows_as_edited(
    workspace: LinearWorkspace, connect: Connect, clock: FakeClock
) -> None:
    project = await make(workspace, connect)
    await project.write(Health.on_track)
    await project.write(Health.off_track)
    clock.advance(60)
    workspace.add_project_update(
        next(iter(workspace.projects.values())), body="All fine", health="onTrack"
    )

    (seen,) = await project.linear.observe(project.target)

    assert seen.plain() != project.applied


async def test_an_update_is_found_again_by_its_mark_after_the_store_was_lost(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    project = await make(workspace, connect)
    await project.write(Health.on_track)
    await project.write(Health.off_track)
    fresh = connect(workspace, project_updates=True)

    (seen,) = await fresh.observe(project.target)

    assert (seen.ours, seen.remote_id) == (True, project.remote_id)
