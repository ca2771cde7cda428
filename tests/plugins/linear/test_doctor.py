"""What `opsync doctor` finds in Linear."""

from __future__ import annotations

import pytest

from opsync.contract.connector import Check
from opsync.errors import SignInError
from opsync.sandbox.linear import LinearWorkspace
from tests.plugins.linear.conftest import Connect


async def examine(connect: Connect, api: LinearWorkspace, **more: object) -> dict[str, Check]:
    return {check.title: check async for check in connect(api, **more).doctor()}


async def test_a_good_connection_has_one_open_question(
    connect: Connect, workspace: LinearWorkspace
) -> None:
    checks = await examine(connect, workspace)

    assert [c.title for c in checks.values() if c.state != "ok"] == ["write"]
    assert "needs Write" in checks["write"].hint
    assert checks["workspace"].message == "linear.app/harbor"
    assert "GRO, SEC" in checks["teams"].message
    assert "SEC" in checks["private teams"].message
    assert workspace.read_requests == 1
    assert workspace.write_requests == 0


async def test_a_team_that_is_not_there_fails_with_the_click(
    connect: Connect, workspace: LinearWorkspace
) -> None:
    teams = (await examine(connect, workspace, teams=("GRO", "MOB")))["teams"]

    assert (teams.state, "MOB" in teams.message) == ("fail", True)
    assert "Personal API keys" in teams.hint


async def test_another_workspace_fails(connect: Connect, workspace: LinearWorkspace) -> None:
    assert (await examine(connect, workspace, workspace="acme"))["workspace"].state == "fail"


async def test_a_dead_key_is_a_sign_in_error(connect: Connect, workspace: LinearWorkspace) -> None:
    workspace.faults.refuse_token = True

    with pytest.raises(SignInError, match="Personal API keys"):
        await examine(connect, workspace)
