"""What `opsync init` and doctor are told of a key, each lack with the click that mends it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.plugins.posthog.world import Harbor, answering

from opsync import Check, Grant, SignInError
from opsync_posthog.explore import SCOPES


async def grants_of(harbor: Harbor) -> dict[str, Grant]:
    return {one.name: one async for one in harbor.connect().grants()}


async def examined(harbor: Harbor, **changes: Any) -> dict[str, Check]:
    checks = [check async for check in harbor.connect(**changes).doctor()]
    assert len({check.title for check in checks}) == len(checks)
    return {check.title: check for check in checks}


async def test_every_scope_is_told_by_one_request(harbor: Harbor) -> None:
    harbor.project.faults.missing_scopes = {"annotation:write", "experiment:read"}
    grants = await grants_of(harbor)
    assert set(grants) == set(harbor.project.scopes)
    assert {name for name, one in grants.items() if not one.held} == {
        "annotation:write",
        "experiment:read",
    }
    assert [name for name, one in grants.items() if one.vital] == ["query:read"]
    assert [name for name, one in grants.items() if one.needed == "write"] == ["annotation:write"]
    assert len(harbor.calls()) == 1


@pytest.mark.parametrize("scope", [one.name for one in SCOPES])
async def test_each_scope_has_its_click(harbor: Harbor, scope: str) -> None:
    what, right = scope.split(":")
    hint = (await grants_of(harbor))[scope].hint
    label = what.replace("_", " ").capitalize()
    assert hint.endswith(f"Edit → Scopes → {label}: {right.capitalize()}.")


@pytest.mark.parametrize("scope", [one.name for one in SCOPES])
async def test_where_keys_do_not_describe_themselves_each_scope_is_tried(
    harbor: Harbor, scope: str
) -> None:
    harbor.project.describes_keys = False
    harbor.project.faults.missing_scopes = {scope, "annotation:write"}
    grants = await grants_of(harbor)
    assert grants["annotation:write"].held is None
    for name, one in grants.items():
        if name != "annotation:write":
            assert one.held is (name != scope)
    assert harbor.project.write_requests == 0


async def test_a_scope_to_write_is_one_to_read(harbor: Harbor) -> None:
    harbor.project.faults.missing_scopes = {"annotation:read"}
    assert (await grants_of(harbor))["annotation:read"].held


@pytest.mark.parametrize("scopes", [["*"], [], None])
async def test_a_key_with_all_scopes_or_from_before_them_may_do_all(
    harbor: Harbor, scopes: list[str] | None
) -> None:
    harbor.transport = answering({"scopes": scopes, "scoped_teams": None})
    assert all(one.held for one in (await grants_of(harbor)).values())


async def test_a_dead_key_is_refused(harbor: Harbor) -> None:
    harbor.project.faults.refuse_token = True
    with pytest.raises(SignInError, match="refused the key"):
        await grants_of(harbor)


async def test_the_projects_that_the_key_reaches_are_the_choices(harbor: Harbor) -> None:
    harbor.project.other_projects = {str(n): f"Z{n}" for n in range(100, 250)}
    choices = await harbor.connect(project="999").choices()
    assert (choices[0].id, choices[0].name, choices[0].note) == ("1", "Harbor", "Europe/Berlin")
    assert len(choices) == 151


async def test_a_key_for_one_project_has_that_one_to_choose(harbor: Harbor) -> None:
    harbor.project.scoped = True
    (choice,) = await harbor.connect(project="999").choices()
    assert (choice.id, choice.name) == ("1", "Harbor")
    harbor.project.faults.missing_scopes = {"project:read"}
    (choice,) = await harbor.connect(project="999").choices()
    assert (choice.id, choice.name) == ("1", "Project 1")


async def test_without_the_scope_for_projects_the_click_is_told(harbor: Harbor) -> None:
    harbor.project.faults.missing_scopes = {"project:read"}
    with pytest.raises(SignInError) as refused:
        await harbor.connect().choices()
    assert "Project: Read" in refused.value.hint


async def test_a_first_read_is_small_and_there_are_no_statuses(harbor: Harbor) -> None:
    posthog = harbor.connect()
    assert (await posthog.first_read()).requests == 2
    assert await posthog.status_words() == ()
    assert harbor.calls() == []


# Doctor ------------------------------------------------------------------------------------------


async def test_a_working_connection_is_told_with_project_zone_and_scopes(harbor: Harbor) -> None:
    checks = await examined(harbor)
    assert {check.state for check in checks.values()} == {"ok"}
    assert checks["Project"].message == 'Project 1, "Harbor".'
    assert checks["Time zone"].message == "Days begin in Europe/Berlin."
    assert sum(title.startswith("Scope ") for title in checks) == len(SCOPES)
    assert harbor.project.write_requests == 0


async def test_a_missing_scope_warns_and_one_to_query_fails(harbor: Harbor) -> None:
    harbor.project.faults.missing_scopes = {"query:read", "insight:read"}
    checks = await examined(harbor)
    assert (checks["Scope query:read"].state, checks["Scope query:read"].sign_in) == ("fail", True)
    assert checks["Scope insight:read"].state == "warn"
    assert "Query: Read" in checks["Scope query:read"].hint


async def test_a_key_that_may_not_know_the_zone_is_told_the_click(harbor: Harbor) -> None:
    harbor.project.faults.missing_scopes = {"project:read"}
    checks = await examined(harbor)
    assert checks["Project"].state == checks["Time zone"].state == "warn"
    assert "Project: Read" in checks["Project"].hint
    assert checks["Time zone"].setting == "time_zone"


async def test_a_zone_that_is_not_posthog_s_is_told(harbor: Harbor) -> None:
    check = (await examined(harbor, time_zone="Asia/Tokyo"))["Time zone"]
    assert (check.state, check.setting) == ("warn", "time_zone")
    assert "Europe/Berlin" in check.message
    assert (await examined(harbor, time_zone="Europe/Berlin"))["Time zone"].state == "ok"


async def test_another_project_fails_with_the_click(harbor: Harbor) -> None:
    harbor.project.other_projects = {"2": "Secret"}
    for project in ("2", "404"):
        checks = await examined(harbor, project=project)
        assert list(checks) == ["Sign-in", "Project"]
        assert checks["Project"].state == "fail"
        assert "project access" in checks["Project"].hint


async def test_a_dead_key_ends_it(harbor: Harbor) -> None:
    harbor.project.faults.refuse_token = True
    checks = await examined(harbor)
    assert list(checks) == ["Sign-in"]
    assert checks["Sign-in"].sign_in
    assert "region" in checks["Sign-in"].hint


async def test_a_project_without_data_is_told(harbor: Harbor) -> None:
    harbor.history.events.clear()
    harbor.history.flags.clear()
    assert (await examined(harbor))["Data"].state == "warn"


async def test_an_outage_is_told_and_is_no_verdict(harbor: Harbor) -> None:
    harbor.project.faults.outage = True
    checks = await examined(harbor)
    assert list(checks) == ["Sign-in"]
    assert not checks["Sign-in"].sign_in
