"""What `opsync doctor` and `opsync init` find out about a connection."""

from __future__ import annotations

import pytest

from opsync.contract.examining import Check, Grant
from opsync.errors import SignInError
from opsync.sandbox.amplitude import AmplitudeProject
from opsync_amplitude import Amplitude
from tests.plugins.amplitude.conftest import Connect

MANAGEMENT = {"management_key": "amplitude_sandbox_management"}


async def checks(connector: Amplitude) -> dict[str, Check]:
    return {check.title: check async for check in connector.doctor()}


async def grants(connector: Amplitude) -> dict[str, Grant]:
    return {grant.name: grant async for grant in connector.grants()}


async def test_all_is_well(project: AmplitudeProject, connect: Connect) -> None:
    found = await checks(connect(project, **MANAGEMENT))

    states = {title: check.state for title, check in found.items()}
    assert states == {
        "Sign-in": "ok",
        "Events": "ok",
        "Time zone": "ok",
        "Permissions": "warn",
        "Management key": "ok",
    }
    assert found["Events"].message == "The project has 6 events."
    assert project.write_requests == 0


async def test_a_time_zone_that_is_not_given_is_warned_of(
    project: AmplitudeProject, connect: Connect
) -> None:
    check = (await checks(connect(project, time_zone="")))["Time zone"]
    assert (check.state, check.setting) == ("warn", "time_zone")
    assert "General" in check.hint


async def test_keys_that_are_refused_end_the_examination(
    project: AmplitudeProject, connect: Connect
) -> None:
    found = await checks(connect(project, secret_key="old"))

    assert set(found) == {"Sign-in"}
    assert (found["Sign-in"].state, found["Sign-in"].sign_in) == ("fail", True)
    assert "secret key" in found["Sign-in"].hint


async def test_a_management_key_that_is_refused_is_told_with_where_to_make_one(
    project: AmplitudeProject, connect: Connect
) -> None:
    check = (await checks(connect(project, management_key="old")))["Management key"]
    assert (check.state, check.setting) == ("fail", "management_key")
    assert "Management API" in check.hint


async def test_a_project_without_events_is_warned_of(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.history.events.clear()
    project.history.flags.clear()
    assert (await checks(connect(project)))["Events"].state == "warn"


async def test_grants_tell_what_is_held_and_what_shows_with_the_first_write(
    project: AmplitudeProject, connect: Connect
) -> None:
    found = await grants(connect(project, **MANAGEMENT))

    held = {name: (grant.needed, grant.held, grant.vital) for name, grant in found.items()}
    assert held == {
        "API key and secret key": ("read", True, True),
        "Management API key": ("read", True, False),
        "Annotations": ("write", None, True),
    }
    assert project.write_requests == 0


@pytest.mark.parametrize("settings", [{}, {"management_key": "old"}])
async def test_a_management_key_is_a_right_that_may_lack(
    project: AmplitudeProject, connect: Connect, settings: dict[str, str]
) -> None:
    grant = (await grants(connect(project, **settings)))["Management API key"]
    assert (grant.held, grant.vital) == (False, False)


async def test_refused_keys_are_a_refused_sign_in(
    project: AmplitudeProject, connect: Connect
) -> None:
    project.faults.refuse_token = True
    with pytest.raises(SignInError):
        await grants(connect(project))


async def test_there_is_one_project_to_choose(project: AmplitudeProject, connect: Connect) -> None:
    (plain,) = await connect(project).choices()
    (named,) = await connect(project, project_name="Harbor app").choices()
    assert (plain.id, plain.name) == ("123456", "Amplitude project 123456")
    assert named.name == "Harbor app"


async def test_a_first_read_takes_as_many_requests_as_it_says(
    project: AmplitudeProject, connect: Connect
) -> None:
    connector = connect(project)
    told = await connector.first_read()
    (feed, *_) = await connector.feeds()
    items = [item async for batch in connector.pull(feed, None) for item in batch.items]
    assert (len(items), project.read_requests) == (told.items, told.requests)


async def test_nothing_has_a_status(project: AmplitudeProject, connect: Connect) -> None:
    assert await connect(project).status_words() == ()
    assert await connect(project).zone() == "Europe/Berlin"
