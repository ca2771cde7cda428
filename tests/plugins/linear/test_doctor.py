"""What `opsync doctor` finds in Linear."""

from __future__ import annotations

from opsync.contract.examining import Check
from opsync.sandbox.linear import LinearWorkspace
from tests.plugins.linear.conftest import Connect


async def examine(connect: Connect, api: LinearWorkspace, **more: object) -> dict[str, Check]:
    return {check.title: check async for check in connect(api, **more).doctor()}


async def test_a_good_connection_has_one_open_question(
    connect: Connect, workspace: LinearWorkspace
) -> None:
    checks = await examine(connect, workspace)

    assert [c.title for c in checks.values() if c.state != "ok"] == ["Permissions"]
    assert "needs Write" in checks["Permissions"].hint
    assert checks["Workspace"].message == "linear.app/harbor."
    assert checks["Teams"].message == "Reads GRO, SEC."
    assert checks["Private teams"].message == "SEC: counted, and elsewhere not named."
    assert workspace.read_requests == 1
    assert workspace.write_requests == 0


async def test_a_team_that_is_not_there_fails_with_the_click(
    connect: Connect, workspace: LinearWorkspace
) -> None:
    teams = (await examine(connect, workspace, teams=("GRO", "MOB")))["Teams"]

    assert (teams.state, "MOB" in teams.message) == ("fail", True)
    assert "Personal API keys" in teams.hint


async def test_another_workspace_fails(connect: Connect, workspace: LinearWorkspace) -> None:
    assert (await examine(connect, workspace, workspace="acme"))["Workspace"].state == "fail"


async def test_a_dead_key_is_the_only_finding(connect: Connect, workspace: LinearWorkspace) -> None:
    workspace.faults.refuse_token = True

    (check,) = (await examine(connect, workspace)).values()

    assert (check.title, check.state, check.sign_in) == ("Sign-in", "fail", True)
    assert check.message == "Linear refused the token."
    assert "Personal API keys" in check.hint


async def test_findings_are_sentences_and_promise_no_next_pass(
    connect: Connect, workspace: LinearWorkspace
) -> None:
    sound = await examine(connect, workspace)
    workspace.start_outage()
    down = await examine(connect, workspace)

    for check in sound.values():
        assert (check.title[0].isupper(), check.message[-1]) == (True, ".")
    assert not any("next pass" in check.hint for check in (*sound.values(), *down.values()))
    assert down["Sign-in"].message.startswith("Linear could not answer (503)")
