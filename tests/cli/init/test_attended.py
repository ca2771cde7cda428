"""`opsync init` with a person at the keyboard: asked one tool at a time, and asked again."""

from __future__ import annotations

import os
import stat

import pytest

from opsync import Category, Choice, Grant, SignInError, StatusWord, TemporaryError
from tests.cli.init.conftest import ROADMAP, TASKS, Init, taken
from tests.cli.init.scripted import TOKEN, Tools

NO, ENTER = "n", ""
JIRA = ("--jira", "https://harbor.example", "--jira-email", "ana@harbor.example")


def test_one_tool_after_the_other_is_asked_and_the_tokens_are_kept_apart(
    init: Init, tools: Tools
) -> None:
    said = init.asked(
        answers=(
            *("y", "harbor.atlassian.net", "ana@harbor.example", ENTER, TOKEN, "1,pay", "all"),
            *("y", TOKEN, "GRO"),
            *("y", TOKEN, ENTER, "y"),
            *(ENTER, "y"),
        )
    )

    assert said.code == 0, said.text
    assert init.settings("jira-main")["projects"] == ["MOB", "PAY"]
    assert init.settings("jira-main")["resolutions"] == {"Won't do": "canceled"}
    assert init.settings("jira-main")["statuses"] == {"Abgelehnt": "canceled"}
    assert init.settings("linear")["teams"] == ["GRO"]
    assert init.settings("notion")["data_sources"][0]["name"] == "Roadmap"
    secrets = init.folder / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert {path.name: path.read_text() for path in secrets.glob("OPSYNC_*")} == {
        "OPSYNC_JIRA_MAIN__TOKEN": TOKEN,
        "OPSYNC_LINEAR__TOKEN": TOKEN,
        "OPSYNC_NOTION__TOKEN": TOKEN,
    }
    assert init.written()["secrets_dir"] == "secrets"
    assert TOKEN not in said.text + (init.folder / "opsync.toml").read_text()
    assert not any(name.startswith("OPSYNC_") for name in os.environ)
    assert said.text.index("\nJira") < said.text.index("\nLinear") < said.text.index("\nNotion")
    assert "3  SEC  Security  private" in said.text


def test_tools_that_are_not_used_are_left_out(init: Init, tools: Tools) -> None:
    init.token("jira-main", TOKEN)
    init.token("linear", TOKEN)

    said = init.asked(answers=(NO, "y", ENTER, NO, NO))

    assert said.code == 0, said.text
    assert list(init.written()["instances"]) == ["linear"]
    assert "! OPSYNC_JIRA_MAIN__TOKEN is set, and Jira is not connected" in said.text
    assert "unset OPSYNC_JIRA_MAIN__TOKEN" in said.text


def test_without_any_tool_nothing_is_written(init: Init, tools: Tools) -> None:
    said = init.asked(answers=(NO, NO, NO))

    assert (said.code, list(init.folder.iterdir())) == (2, [])
    assert "nothing to connect" in said.text


def test_a_refused_token_is_told_with_the_click_path_and_asked_again(
    init: Init, tools: Tools
) -> None:
    said = init.asked("--linear", answers=("wr0ng-token", TOKEN, ENTER, "y"))

    assert said.code == 0, said.text
    assert tools.linear.tried[:2] == ["wr0ng-token", TOKEN]
    assert "  ✗ Linear refused the token ***." in said.text
    assert "      Linear → Keys → New." in said.text
    assert "wr0ng-token" not in said.text
    assert (init.folder / "secrets" / "OPSYNC_LINEAR__TOKEN").read_text() == TOKEN


def test_a_tool_whose_tokens_are_all_refused_can_be_left_out(init: Init, tools: Tools) -> None:
    init.token("jira-main", TOKEN)

    said = init.asked(
        *(*JIRA, "--linear"),
        answers=(ENTER, "none", "first-one", "second-one", "third-one", ENTER, "skip"),
    )

    assert said.code == 0, said.text
    assert tools.linear.tried[-3:] == ["first-one", "second-one", "third-one"]
    assert list(init.written()["instances"]) == ["jira-main"]
    assert not (init.folder / "secrets").exists()
    assert "OPSYNC_LINEAR__TOKEN" not in said.text, "nobody set it"


def test_a_token_of_the_environment_that_is_refused_can_be_replaced(
    init: Init, tools: Tools
) -> None:
    init.token("linear", "old-and-expired")

    said = init.asked("--linear", answers=(TOKEN, ENTER, "y"))

    assert said.code == 0, said.text
    assert "That was OPSYNC_LINEAR__TOKEN of the environment." in said.text
    assert "OPSYNC_LINEAR__TOKEN is still set in the environment, and wins" in said.text
    assert os.environ["OPSYNC_LINEAR__TOKEN"] == "old-and-expired"
    assert "old-and-expired" not in said.text


def test_a_token_without_a_right_to_read_is_asked_for_again_or_the_tool_left_out(
    init: Init, tools: Tools
) -> None:
    tools.linear.grants = (Grant("Read", "read", False, "issues", "Keys → New → Read."),)
    tools.linear.tokens = (TOKEN, "0ther-token")

    said = init.asked("--linear", answers=(TOKEN, "token", "0ther-token", "again", "skip"))

    assert (said.code, list(init.folder.iterdir())) == (2, [])
    assert "✗ Read  is missing: issues." in said.text
    assert "Keys → New → Read." in said.text
    assert tools.linear.tried == [TOKEN, "0ther-token", "0ther-token"]


def test_a_database_can_be_shared_meanwhile_and_the_same_token_asked_again(
    init: Init, tools: Tools
) -> None:
    init.token("notion", TOKEN)
    shared = tools.notion.grants
    hidden = Grant("Content access", "read", False, "the roadmap", "••• → Connections → opsync")
    tools.notion.grants = (*shared, hidden)
    tools.notion.afterwards = lambda script: setattr(script, "grants", shared)

    said = init.asked("--notion", answers=("again", ENTER, "y"))

    assert said.code == 0, said.text
    assert "••• → Connections → opsync" in said.text
    assert set(tools.notion.tried) == {TOKEN}
    assert list(init.written()["instances"]) == ["notion"]


def test_a_tool_that_is_down_can_be_asked_again_or_be_left_untested(
    init: Init, tools: Tools
) -> None:
    init.token("linear", TOKEN)
    tools.linear.down = [TemporaryError("Linear answered 503.", hint="It is down.")] * 2

    again = init.asked("--linear", answers=("again", "untested", "GRO sec"))

    assert again.code == 0, again.text
    assert again.text.count("✗ Linear answered 503.") == 2
    assert init.settings("linear")["teams"] == ["GRO", "SEC"]


@pytest.mark.parametrize(
    ("address", "email", "cloud_id", "told"),
    [
        ("https://harbor.atlassian.net", "ana", "", '"ana": is no email address'),
        ("https://jira.harbor.example/browse/PAY-1", "a@x.example", "", "address of one issue"),
        ("our jira", "a@x.example", "", "site: The address names no host"),
        ("http://jira.harbor.example", "a@x.example", "", "in the clear"),
        ("https://harbor.atlassian.net", "a@x.example", "harbor", "base_url: "),
    ],
)
def test_where_jira_is_is_asked_again_until_it_can_be_right(
    init: Init, tools: Tools, address: str, email: str, cloud_id: str, told: str
) -> None:
    said = init.asked(
        answers=(
            *("y", address, email, cloud_id),
            *("harbor.atlassian.net", "ana@harbor.example", "", TOKEN, ENTER, "none"),
            *(NO, NO, NO, "y"),
        )
    )

    assert said.code == 0, said.text
    assert f"  ! {told}" in said.text or told in said.text
    assert init.settings("jira-main")["site"] == "https://harbor.atlassian.net"


def test_a_mistyped_address_is_mended_without_beginning_again(init: Init, tools: Tools) -> None:
    init.token("jira-main", TOKEN)
    tools.jira.down = [TemporaryError("jira-main: there is no host harbr.atlassian.net.")]

    said = init.asked(
        *("--jira", "harbr.atlassian.net", "--jira-email", "ana@harbor.example"),
        answers=("address", "harbor.atlassian.net", "ana@harbor.example", ENTER, ENTER, "none"),
    )

    assert said.code == 0, said.text
    assert init.settings("jira-main")["site"] == "https://harbor.atlassian.net"


def test_a_token_with_scopes_can_be_sent_to_the_gateway_after_it_was_refused(
    init: Init, tools: Tools
) -> None:
    init.token("jira-main", TOKEN)
    cloud_id = "0f2b1c3d-1111-2222-3333-444455556666"
    tools.jira.down = [SignInError("Jira refused the token.", hint="A token with scopes works …")]

    said = init.asked(
        *JIRA, answers=(ENTER, "address", ENTER, "ana@harbor.example", cloud_id, ENTER, "none")
    )

    assert said.code == 0, said.text
    settings = init.settings("jira-main")
    assert settings["base_url"] == f"https://api.atlassian.com/ex/jira/{cloud_id}"
    assert settings["site"] == "https://harbor.example"


def test_one_name_in_many_teams_is_asked_about_once(init: Init, tools: Tools) -> None:
    init.token("linear", TOKEN)
    given_up = [
        StatusWord(
            id=f"state-{n}",
            name="Won't do",
            category=Category.done,
            counts_as=Category.done,
            where=(f"Team {n}",),
        )
        for n in range(60)
    ]
    tools.linear.words = tuple(given_up)

    alone = init.alone("--linear", "--out", "alone.toml")
    asked = init.asked("--linear", answers=(ENTER, "won't do"))

    assert "looks canceled: Won't do.\n" in alone.text
    assert "1  Won't do  status, Team 0, Team 1, Team 2 …\n" in asked.text
    assert init.settings("linear")["statuses"] == {"Won't do": "canceled"}


@pytest.mark.parametrize("unfit", ["open", "file"])
def test_a_folder_that_is_not_fit_for_secrets_costs_no_answer(
    init: Init, tools: Tools, unfit: str
) -> None:
    folder = init.folder / "secrets"
    if unfit == "file":
        folder.write_text("mine", encoding="utf-8")
    else:
        folder.mkdir()
        folder.chmod(0o755)

    said = init.asked("--linear", answers=(TOKEN, ENTER, "y", NO))

    assert said.code == 0, said.text
    assert ("chmod 700 secrets" in said.text) == (unfit == "open")
    assert "  export OPSYNC_LINEAR__TOKEN=…" in said.text
    assert init.written()["instances"]["linear"]["connector"] == "linear"


def test_a_variable_of_nothing_is_told_before_the_first_question(init: Init, tools: Tools) -> None:
    init.token("jira-ships", "x")

    said = init.asked(answers=())

    assert said.code == 2
    assert said.text.startswith("error: OPSYNC_JIRA_SHIPS__TOKEN: unknown environment variable")


def test_all_variables_of_a_tool_that_is_left_out_are_told(init: Init, tools: Tools) -> None:
    init.token("linear", TOKEN)
    init.monkeypatch.setenv("OPSYNC_JIRA_MAIN__EMAIL", "ana@harbor.example")

    said = init.asked("--linear", answers=(ENTER,))

    assert said.code == 0, said.text
    assert "      unset OPSYNC_JIRA_MAIN__EMAIL\n" in said.text


def test_the_columns_can_be_named_and_are_shown_again(init: Init, tools: Tools) -> None:
    init.token("notion", TOKEN)

    said = init.asked(
        "--notion",
        "Roadmap",
        answers=(NO, "State", ENTER, "Lead", "Work, Epics", "y"),
    )

    assert said.code == 0, said.text
    (source,) = init.written()["instances"]["notion"]["data_sources"]
    assert (source["status"], source["due"], source["owner"]) == ("State", "Due", "Lead")
    assert init.written()["rollup"][0]["properties"] == ["Work", "Epics"]
    assert said.text.count('Columns of "Roadmap"') == 2
    assert "status: State" in said.text
    assert "links: Work, Epics" in said.text


def test_links_may_be_in_any_column(init: Init, tools: Tools) -> None:
    init.token("notion", TOKEN)

    said = init.asked("--notion", "Roadmap", answers=(NO, ENTER, ENTER, ENTER, "any", "y"))

    assert said.code == 0, said.text
    assert "properties" not in init.written()["rollup"][0]


def test_of_several_data_sources_that_with_the_initiatives_is_asked(
    init: Init, tools: Tools
) -> None:
    init.token("notion", TOKEN)
    tools.notion.choices = (Choice(TASKS, "Tasks"), Choice(ROADMAP, "Roadmap"))

    said = init.asked(answers=(NO, NO, "y", "all", ENTER, "y", NO))

    assert said.code == 0, said.text
    kinds = {s["name"]: s["kind"] for s in init.written()["instances"]["notion"]["data_sources"]}
    assert kinds == {"Tasks": "issue", "Roadmap": "initiative"}


def test_another_name_for_a_column_of_ours_is_offered(init: Init, tools: Tools) -> None:
    init.token("notion", TOKEN)
    tools.notion.checks = taken("Delivery")

    said = init.asked("--notion", "Roadmap", answers=("y", "Lieferung"))

    assert said.code == 0, said.text
    assert 'ours will be "Delivery' not in said.text
    (source,) = init.written()["instances"]["notion"]["data_sources"]
    assert source["columns"] == {"delivery": "Lieferung"}


def test_an_answer_that_is_not_certain_is_asked_again(init: Init, tools: Tools) -> None:
    init.token("linear", TOKEN)
    tools.linear.choices = tuple(Choice(f"T{n}", f"Team {n}") for n in range(1, 41))

    said = init.asked("--linear", answers=("eam 3", "zzz", "99", "3, T31-x", "3,31"))

    assert said.code == 0, said.text
    assert init.settings("linear")["teams"] == ["T3", "T31"]
    listed = said.text.partition("Which teams")[0]
    assert "15  T15  Team 15" in listed
    assert "T16" not in listed
    assert "… 25 more" in listed
    assert '"eam 3" is in 11 of the names. Which one?' in said.text
    assert "39  T39  Team 39" in said.text
    assert 'there is no "zzz".' in said.text
    assert "99: the numbers go from 1 to 40." in said.text


def test_tokens_that_are_not_kept_are_told_how_to_hand_over(init: Init, tools: Tools) -> None:
    said = init.asked("--linear", answers=(TOKEN, ENTER, NO))

    assert said.code == 0, said.text
    assert "export OPSYNC_LINEAR__TOKEN=…" in said.text
    assert [path.name for path in init.folder.iterdir()] == ["opsync.toml"]


def test_stopping_leaves_nothing_behind(init: Init, tools: Tools) -> None:
    """The answers end in the middle, as with Ctrl-C."""
    said = init.asked("--linear", answers=(TOKEN,))

    assert (said.code, list(init.folder.iterdir())) == (130, [])
    assert "OPSYNC_LINEAR__TOKEN" not in os.environ
