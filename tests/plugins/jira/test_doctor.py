from __future__ import annotations

from tests.plugins.jira.conftest import Connect

from opsync import Category, Check
from opsync.sandbox.jira import JiraSite
from opsync_jira import Jira


async def examine(jira: Jira) -> dict[str, Check]:
    return {check.title: check async for check in jira.doctor()}


async def test_a_sound_connection_is_all_right(site: JiraSite, connect: Connect) -> None:
    mapped = {"Won't Do": Category.canceled}

    checks = await examine(connect(site, projects=["PAY", "MOB"], resolutions=mapped))

    assert {check.state for check in checks.values()} == {"ok"}
    assert checks["Sign-in"].message == "Signed in as Ana Reyes."
    assert checks["Projects"].message == "Reads MOB, PAY."
    assert "Story Points (customfield_10016)" in checks["Fields"].message


async def test_nothing_is_written_and_no_address_of_a_person_is_shown(
    site: JiraSite, connect: Connect
) -> None:
    checks = await examine(connect(site))

    assert site.write_requests == 0
    assert "@" not in repr(checks)


async def test_a_dead_token_is_the_only_finding(site: JiraSite, connect: Connect) -> None:
    site.faults.refuse_token = True

    checks = await examine(connect(site))

    (check,) = checks.values()
    assert (check.title, check.state) == ("Sign-in", "fail")
    assert "OPSYNC_JIRA_MAIN__TOKEN" in check.hint


async def test_a_project_that_is_not_visible_is_named(site: JiraSite, connect: Connect) -> None:
    check = (await examine(connect(site, projects=["PAY", "GONE"])))["Projects"]

    assert check.state == "fail"
    assert check.message == "Not visible: GONE."


async def test_a_missing_permission_to_link_is_a_warning(site: JiraSite, connect: Connect) -> None:
    site.faults.read_only = True

    check = (await examine(connect(site, projects=["PAY"])))["Permissions"]

    assert check.state == "warn"
    assert "not link in PAY" in check.message
    assert "Link issues" in check.hint


async def test_a_wrong_deployment_is_a_thing_to_look_at(site: JiraSite, connect: Connect) -> None:
    checks = connect(site).doctor()
    await anext(checks)
    site.deployment = "Server"

    check = await anext(checks)

    assert check.state == "warn"
    assert "deployment" in check.hint


async def test_another_address_for_people_is_told(site: JiraSite, connect: Connect) -> None:
    site.base_url = "https://harbor-two.atlassian.net"

    check = (await examine(connect(site)))["Address"]

    assert check.state == "warn"
    assert 'site = "https://harbor-two.atlassian.net"' in check.hint
    assert 'base_url = "https://harbor.atlassian.net"' in check.hint


async def test_fields_that_do_not_exist_are_a_failure(site: JiraSite, connect: Connect) -> None:
    check = (await examine(connect(site, estimate_field="customfield_4711")))["Fields"]

    assert (check.state, check.message) == ("fail", "There is no field customfield_4711.")


async def test_a_link_type_that_does_not_exist_is_told_with_those_that_do(
    site: JiraSite, connect: Connect
) -> None:
    check = (await examine(connect(site, blocked_link_types=["Blockiert"])))["Link types"]

    assert check.state == "warn"
    assert check.hint == "Set blocked_link_types to some of: Blocks, Duplicate, Relates."


async def test_what_looks_canceled_comes_with_lines_to_paste(
    site: JiraSite, connect: Connect
) -> None:
    site.add_status("Verworfen", "done")
    site.add_status("Abgelehnt", "new")

    checks = await examine(connect(site))

    assert checks["Canceled statuses"].state == "warn"
    assert checks["Canceled statuses"].hint.splitlines()[1:] == [
        "[instances.jira-main.statuses]",
        '"Verworfen" = "canceled"',
    ]
    assert checks["Canceled resolutions"].hint.splitlines()[1:] == [
        "[instances.jira-main.resolutions]",
        '"Won\'t Do" = "canceled"',
    ]


async def test_a_mapping_of_a_name_that_the_site_has_not_is_told(
    site: JiraSite, connect: Connect
) -> None:
    chosen = {"wont do": Category.canceled}

    check = (await examine(connect(site, resolutions=chosen)))["Canceled resolutions"]

    assert check.state == "warn"
    assert "'wont do'" in check.message


async def test_an_outage_in_between_leaves_the_other_checks(
    site: JiraSite, connect: Connect
) -> None:
    checks = connect(site).doctor()
    states = [(await anext(checks)).state]
    site.start_outage()
    states.append((await anext(checks)).state)
    site.end_outage()
    states += [check.state async for check in checks]

    assert states[:3] == ["ok", "warn", "ok"]
    assert len(states) == 8


async def test_an_estimate_field_of_time_is_found_beside_the_points(
    site: JiraSite, connect: Connect
) -> None:
    check = (await examine(connect(site, estimate_field="timeoriginalestimate")))["Fields"]

    assert check.state == "ok"
    assert "Original estimate (timeoriginalestimate), Story Points (" in check.message
