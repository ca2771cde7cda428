"""What `opsync doctor` and `opsync init` find, without burning the hour's queries."""

from __future__ import annotations

import pytest
from tests.plugins.mixpanel.world import World

from opsync import Check, Choice, FirstRead, SignInError


async def examine(world: World, **changes: object) -> dict[str, Check]:
    return {check.title: check async for check in world.connect(**changes).doctor()}


def queries(world: World) -> int:
    return sum(exchange.path.startswith("/api/query/") for exchange in world.project.exchanges)


async def test_a_good_connection_has_one_open_question(world: World) -> None:
    checks = await examine(world, time_zone="Europe/Berlin")

    assert [c.title for c in checks.values() if c.state != "ok"] == ["Permissions"]
    assert "Analyst" in checks["Permissions"].hint
    assert checks["Events"].message == "3 kinds of event in the last 31 days."
    assert checks["Flags"].message == 'Counted by "$experiment_started".'
    assert checks["Limit"].message == "48 queries an hour at most, of 60."
    assert queries(world) == 1
    assert world.project.write_requests == 0


async def test_a_dead_account_is_the_only_finding(world: World) -> None:
    world.project.faults.refuse_token = True

    (check,) = (await examine(world)).values()

    assert (check.title, check.state, check.sign_in) == ("Sign-in", "fail", True)
    assert "Invalid service account credentials" in check.message
    assert "Service Accounts" in check.hint


async def test_another_project_fails_with_the_click(world: World) -> None:
    (check,) = (await examine(world, project=1)).values()

    assert (check.state, "Add Service Account" in check.hint) == ("fail", True)


async def test_an_unset_time_zone_is_told_with_where_it_stands(world: World) -> None:
    check = (await examine(world))["Time zone"]

    assert (check.state, check.setting) == ("warn", "time_zone")
    assert "Project Settings" in check.hint


async def test_missing_flags_and_an_empty_project_are_told(world: World) -> None:
    other = await examine(world, flag_event="Flag met")
    world.project.history.events.clear()
    world.project.history.flags.clear()
    empty = await examine(world)

    assert (other["Flags"].state, other["Flags"].setting) == ("warn", "flag_event")
    assert (empty["Events"].state, empty["Flags"].state) == ("warn", "warn")


async def test_a_refused_query_is_a_finding_and_the_rest_goes_on(world: World) -> None:
    while world.project.queries.remaining:
        world.project.queries.take()

    checks = await examine(world)

    assert (checks["Events"].state, "rate limit" in checks["Events"].message) == ("warn", True)
    assert "Permissions" in checks


async def test_the_rights_are_those_of_the_role(world: World) -> None:
    grants = {grant.name: grant async for grant in world.connect().grants()}

    assert [(g.name, g.needed, g.held) for g in grants.values()] == [
        ("Consumer", "read", True),
        ("Analyst", "write", None),
    ]
    assert (queries(world), world.project.write_requests) == (1, 0)


async def test_an_account_that_is_no_member_holds_nothing(world: World) -> None:
    world.project.faults.missing_scopes = {"consumer"}

    grants = [grant async for grant in world.connect().grants()]

    assert [grant.held for grant in grants] == [False, False]


async def test_a_dead_account_has_no_rights_to_tell(world: World) -> None:
    world.project.faults.refuse_token = True

    with pytest.raises(SignInError, match="refused the service account"):
        await anext(aiter(world.connect().grants()))


async def test_there_is_one_project_to_choose_and_nothing_to_count(world: World) -> None:
    mixpanel = world.connect(project_name="Harbor")

    assert await mixpanel.choices() == [Choice("3141592", "Harbor")]
    assert await mixpanel.first_read() == FirstRead(1, 0, 0.0)
    assert await mixpanel.status_words() == ()
    assert await mixpanel.guesses() == ()
    assert world.asked == []
