"""doctor names what it found, what it did not, and the click that mends it."""

from __future__ import annotations

from typing import Any

from tests.plugins.notion.world import Roadmap, published

from opsync import Check


async def examined(roadmap: Roadmap, **changes: Any) -> dict[str, Check]:
    checks = [check async for check in roadmap.connect(**changes).doctor()]
    assert len({check.title for check in checks}) == len(checks)
    return {check.title: check for check in checks}


async def test_a_working_connection_is_told_with_bot_workspace_and_columns(
    roadmap: Roadmap,
) -> None:
    checks = await examined(roadmap)
    assert {check.state for check in checks.values()} == {"ok", "warn"}
    assert checks["Sign-in"].message == 'Signed in as "opsync" in Harbor.'
    assert "2026-03-11" in checks["Version"].message
    assert '"Status"' in checks["Roadmap: status"].message
    assert '"Due"' in checks["Roadmap: due"].message
    assert '"Owner"' in checks["Roadmap: owner"].message
    assert '"Tracked in"' in checks["Roadmap: links"].message
    assert "first write" in checks["Roadmap: Delivery health"].message
    assert checks["Permissions"].state == "warn"
    assert roadmap.workspace.write_requests == 0


async def test_own_columns_are_told_by_their_present_name(roadmap: Roadmap) -> None:
    roadmap.add("A")
    await published(roadmap, "A")
    roadmap.workspace.rename_property(roadmap.source, "Work", "Arbeit")
    checks = await examined(roadmap)
    assert checks["Roadmap: Work"].message == 'Found as "Arbeit".'
    assert checks["Roadmap: Work"].state == "ok"


async def test_a_persons_column_in_the_way_is_told(roadmap: Roadmap) -> None:
    roadmap.source.schema.add("Delivery", {"rich_text": {}})
    roadmap.add("A", Delivery="by truck")
    check = (await examined(roadmap))["Roadmap: Delivery"]
    assert check.state == "warn"
    assert '"Delivery (opsync)"' in check.message


async def test_named_columns_that_are_missing_fail(roadmap: Roadmap) -> None:
    block = {"status": "Phase", "due": "Owner", "links": ["Tracked in", "Links"]}
    checks = [c async for c in roadmap.connect(block=block).doctor()]
    failed = [c.message for c in checks if c.state == "fail"]
    assert len(failed) == 3
    assert all(name in " ".join(failed) for name in ('"Phase"', '"Owner"', '"Links"'))


async def test_done_options_that_look_canceled_are_asked_about(roadmap: Roadmap) -> None:
    prop = roadmap.source.prop("Status")
    options = [{"name": o.name} for o in prop.options] + [{"name": "Won't do", "group": "Complete"}]
    roadmap.source.schema.change(prop, {"status": {"options": options}})
    check = (await examined(roadmap))["Roadmap: Status"]
    assert check.state == "warn"
    assert '"Won\'t do" = "canceled"' in check.hint
    quiet = await examined(roadmap, statuses={"Won't do": "canceled"})
    assert "Roadmap: Status" not in quiet


async def test_a_dead_token_ends_it(roadmap: Roadmap) -> None:
    roadmap.workspace.faults.refuse_token = True
    checks = await examined(roadmap)
    assert list(checks) == ["Sign-in"]
    assert checks["Sign-in"].state == "fail"
    assert "Copy the secret" in checks["Sign-in"].hint


async def test_a_database_that_is_not_shared_fails_with_the_click(roadmap: Roadmap) -> None:
    roadmap.workspace.faults.deny |= {roadmap.source.id, roadmap.source.database_id}
    check = (await examined(roadmap, block={"name": "Roadmap"}))["Roadmap"]
    assert check.state == "fail"
    assert "Connections → opsync" in check.hint


async def test_an_outage_is_told_and_is_no_verdict(roadmap: Roadmap) -> None:
    roadmap.workspace.faults.outage = True
    assert (await examined(roadmap))["Sign-in"].state != "ok"
