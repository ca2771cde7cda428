"""`opsync init` without anybody to ask: all is told by options, or is an error that names one."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest

from opsync import Category, Check, Choice, Grant, SignInError, StatusWord, TemporaryError
from opsync.cli.init.text import placeholders
from opsync.config import build
from opsync.model.rules import Mode
from tests.cli.init import scripted
from tests.cli.init.conftest import ROADMAP, TASKS, Init, taken
from tests.cli.init.scripted import TOKEN, Tools

DATABASE = "https://www.notion.so/harbor/0123456789abcdef0123456789abcdef?v=1"
JIRA = ("--jira", "https://harbor.example", "--jira-email", "ana@harbor.example")


def test_everything_can_be_told_by_options_before_there_is_a_token(init: Init) -> None:
    said = init.alone(
        *("--mode", "apply", "--out", "mine.toml", "--time-zone", "Europe/Lisbon"),
        *(*JIRA, "--jira-project", "PAY", "--jira-project", "MOB"),
        *("--jira-canceled", "Won't Do", "--jira-api", "https://api.atlassian.com/ex/jira/1"),
        *("--linear", "--linear-team", "GRO", "--notion", DATABASE, "--own-column", "work=Arbeit"),
        *("--tracked-in", "Tracked in", "--status-column", "Status", "--due-column", "Due"),
        *("--owner-column", "Owner"),
    )

    assert said.code == 0, said.text
    config = init.config("mine.toml")
    jira = config.instances["jira-main"].settings.model_dump(mode="json")
    assert jira["projects"] == ["PAY", "MOB"]
    assert jira["resolutions"] == {"Won't Do": "canceled"}
    assert jira["base_url"] == "https://api.atlassian.com/ex/jira/1"
    assert config.instances["linear"].settings.model_dump()["teams"] == ("GRO",)
    (source,) = config.instances["notion"].settings.model_dump()["data_sources"]
    assert (source["id"], source["columns"]["work"]) == (DATABASE, "Arbeit")
    assert (source["status"], source["due"], source["owner"]) == ("Status", "Due", "Owner")
    assert (config.rules[0].mode, config.links.mode) == (Mode.apply, Mode.apply)
    assert config.rules[0].properties == ("Tracked in",)
    assert config.general.time_zone == "Europe/Lisbon"


def test_who_hears_when_nobody_looks_is_offered_as_comments(init: Init, tools: Tools) -> None:
    init.token("linear", TOKEN)
    assert init.alone("--linear").code == 0
    text = (init.folder / "opsync.toml").read_text(encoding="utf-8")
    offered = text[text.index("#[watch]") :]
    for line in ("#[watch]", "#[alerts]", "opsync alerts test", "OPSYNC_ALERTS__WEBHOOK"):
        assert line in offered
    uncommented = "\n".join(
        line.removeprefix("#") if line.startswith(("#[", "#fresh", "#style")) else line
        for line in text.splitlines()
    )
    raw = tomllib.loads(uncommented)
    assert (raw["watch"], raw["alerts"]) == ({"fresh_within": "2h"}, {"style": "slack"})
    build(placeholders(raw))


def test_the_variables_of_tokens_that_are_not_at_hand_are_told(init: Init, tools: Tools) -> None:
    init.token("linear", TOKEN)

    said = init.alone(*JIRA, "--linear", "--notion", DATABASE)

    assert said.code == 0, said.text
    assert "  ! Not tested: OPSYNC_JIRA_MAIN__TOKEN is not set." in said.text
    assert "export OPSYNC_JIRA_MAIN__TOKEN=…" in said.text
    assert "export OPSYNC_NOTION__TOKEN=…" in said.text
    assert "export OPSYNC_LINEAR__TOKEN" not in said.text
    assert "id.atlassian.com → Security → API tokens" in said.text
    assert not any("token" in block for block in init.written()["instances"].values())


def test_with_tokens_it_reads_all_there_is_and_says_what_it_found(
    ready: Init, tools: Tools
) -> None:
    """Trouble 11"""
    said = ready.alone(*JIRA, "--linear", "--notion", "roadmap")

    assert said.code == 0, said.text
    for line in (
        "Jira  https://harbor.example",
        "  ✓ read:jira-work   projects and issues",
        (
            "  ! write:jira-work  links on work. Whether it is there shows with the first write; "
            "looking needs none."
        ),
        "      Tokens → Scopes.",
        "  ✓ Reads 3 of 3 projects: MOB, PAY, SEC (private)",
        "  ✓ Signed in as Ana Reyes.",
        "  First read: about 100 items, 4 requests, 2.0 s",
        '  ✓ Reads "Roadmap"',
        "  First read of all: at least 150 items, 9 requests, 5.0 s",
        "  Days begin in Europe/Berlin, this machine's zone.",
    ):
        assert line in said.text.splitlines(), said.text
    assert "projects" not in ready.written()["instances"]["jira-main"]
    text = (ready.folder / "opsync.toml").read_text()
    assert '#projects = ["MOB", "PAY", "SEC"]' in text
    assert TOKEN not in said.text + text


def test_the_scope_stands_first_in_each_block(ready: Init, tools: Tools) -> None:
    said = ready.alone(
        *(*JIRA, "--jira-project", "pay", "--linear", "--linear-team", "growth"),
        *("--notion", ROADMAP),
    )

    assert said.code == 0, said.text
    instances = ready.written()["instances"]
    assert [next(iter(block)) for block in instances.values()] == [
        "projects",
        "teams",
        "data_sources",
    ]
    assert instances["jira-main"]["projects"] == ["PAY"]
    assert instances["linear"]["teams"] == ["GRO"]
    assert tools.jira.looked_at[0].projects == ("PAY",)


def test_the_columns_that_were_guessed_are_shown_and_written(ready: Init, tools: Tools) -> None:
    said = ready.alone("--notion", DATABASE, "--owner-column", "Lead")

    assert said.code == 0, said.text
    (source,) = ready.written()["instances"]["notion"]["data_sources"]
    assert source == {
        "id": ROADMAP,
        "name": "Roadmap",
        "kind": "initiative",
        "status": "Status",
        "due": "Due",
        "owner": "Lead",
    }
    assert ready.written()["rollup"][0]["properties"] == ["Tracked in"]
    table = said.text.partition('Columns of "Roadmap"')[2].splitlines()[1:5]
    assert [cell.strip() for cell in table[0].split("  ") if cell.strip()] == [
        "title: Name",
        "status: Status",
        "due: Due",
        "owner: Lead",
        "links: Tracked in",
    ]
    assert table[1].split() == [
        *("One-tap", "checkout", "On", "track", "2026-12-01", "Ana", "Reyes", "PAY-100")
    ]
    assert "A fourth row" not in said.text


def test_a_column_that_is_not_there_is_refused(ready: Init, tools: Tools) -> None:
    said = ready.alone("--notion", "Roadmap", "--status-column", "Nope")

    assert (said.code, list(ready.folder.iterdir())) == (2, [])
    assert '--status-column "Nope": "Roadmap" has no column of that name' in said.text


def test_the_rows_shown_are_of_the_column_with_links_that_was_named(
    ready: Init, tools: Tools
) -> None:
    said = ready.alone("--notion", "Roadmap", "--tracked-in", "Epics")

    assert said.code == 0, said.text
    assert "links: Epics" in said.text
    assert "PAY-100" not in said.text
    assert ready.written()["rollup"][0]["properties"] == ["Epics"]
    assert "links" not in ready.written()["instances"]["notion"]["data_sources"][0]


def test_a_database_by_its_address_becomes_the_data_source_that_it_has(
    ready: Init, tools: Tools
) -> None:
    elsewhere = "https://www.notion.so/harbor/" + "9" * 32

    assert ready.alone("--notion", elsewhere).code == 0

    (source,) = ready.written()["instances"]["notion"]["data_sources"]
    assert source["id"] == ROADMAP


def test_a_column_with_our_name_is_told_and_can_be_given_another(ready: Init, tools: Tools) -> None:
    tools.notion.checks = taken("Delivery")

    told = ready.alone("--notion", "Roadmap")
    other = ready.alone("--notion", "Roadmap", "--own-column", "delivery=Lieferung", "--force")

    assert (told.code, other.code) == (0, 0)
    assert 'A person has a column "Delivery"; opsync\'s will be "Delivery (opsync)".' in told.text
    assert "--own-column" in told.text
    assert "A person has a column" not in other.text
    (source,) = ready.written()["instances"]["notion"]["data_sources"]
    assert source["columns"] == {"delivery": "Lieferung"}


def test_of_several_data_sources_one_must_be_named(ready: Init, tools: Tools) -> None:
    tools.notion.choices = (Choice(ROADMAP, "Roadmap"), Choice(TASKS, "Tasks"))

    said = ready.alone("--notion", "nothing like it")
    both = ready.alone("--notion", "Roadmap", "--notion", "Tasks", "--initiatives-in", "Roadmap")

    assert said.code == 2
    assert '--notion "nothing like it": there is no "nothing like it".' in said.text
    assert "Roadmap, Tasks" in said.text
    assert both.code == 0, both.text
    kinds = {s["name"]: s["kind"] for s in ready.written()["instances"]["notion"]["data_sources"]}
    assert kinds == {"Roadmap": "initiative", "Tasks": "issue"}


def test_of_very_many_data_sources_those_that_sound_like_a_roadmap_are_named(
    ready: Init, tools: Tools
) -> None:
    many = [Choice(f"{n:032x}", f"Table {n}") for n in range(300)]
    tools.notion.choices = (*many, Choice("f" * 32, "Product roadmap"))

    said = ready.alone("--notion")

    assert said.code == 2
    assert '--notion is missing: the token sees 301 data sources: "Product roadmap", …' in said.text


def test_the_next_steps_name_the_file_where_the_environment_names_another(ready: Init) -> None:
    ready.monkeypatch.setenv("OPSYNC_CONFIG", "/etc/opsync/other.toml")

    said = ready.alone("--linear")

    assert "opsync sync --config opsync.toml " in said.text


def test_the_only_data_source_need_not_be_named(ready: Init, tools: Tools) -> None:
    assert ready.alone("--notion").code == 0
    assert ready.written()["instances"]["notion"]["data_sources"][0]["name"] == "Roadmap"

    tools.notion.choices = (Choice(ROADMAP, "Roadmap"), Choice(TASKS, "Tasks"))
    said = ready.alone("--notion", "--linear", "--force")

    assert said.code == 2
    assert '--notion is missing: the token sees 2 data sources: "Roadmap", "Tasks".' in said.text


def test_without_a_token_the_database_must_be_named(init: Init, tools: Tools) -> None:
    said = init.alone("--notion")

    assert (said.code, list(init.folder.iterdir())) == (2, [])
    assert "--notion is missing: the link of the roadmap's database." in said.text


def test_a_token_that_sees_no_data_source_is_told_how_to_share_one(
    ready: Init, tools: Tools
) -> None:
    tools.notion.choices = ()

    said = ready.alone("--notion")

    assert (said.code, list(ready.folder.iterdir())) == (3, [])
    assert "••• → Connections → opsync" in said.text


def test_what_looks_canceled_is_written_behind_a_sign_and_told(ready: Init, tools: Tools) -> None:
    said = ready.alone(*JIRA)
    text = (ready.folder / "opsync.toml").read_text()
    named = ready.alone(*JIRA, "--jira-canceled", "Won't do", "--force")

    assert said.code == 0, said.text
    assert "! Counted as done, and looks canceled: Won't do, Abgelehnt." in said.text
    assert '#"Won\'t do" = "canceled"' in text
    assert '#"Abgelehnt" = "canceled"' in text
    assert "looks canceled: Abgelehnt." in named.text
    assert ready.written()["instances"]["jira-main"]["resolutions"] == {"Won't do": "canceled"}


def test_two_statuses_of_one_name_are_told_apart_by_id(ready: Init, tools: Tools) -> None:
    tools.jira.words += (
        StatusWord(
            id="9",
            name="Abgelehnt",
            category=Category.todo,
            counts_as=Category.todo,
            where=("PAY",),
        ),
    )

    assert ready.alone(*JIRA).code == 0

    assert '#"3" = "canceled"' in (ready.folder / "opsync.toml").read_text()


@pytest.mark.parametrize("tool", ["jira", "linear", "notion"])
def test_a_token_that_is_refused_ends_it_with_3_and_nothing_is_written(
    ready: Init, tools: Tools, tool: str
) -> None:
    tools.classes[tool].script.tokens = ()

    said = ready.alone(*JIRA, "--linear", "--notion", DATABASE)

    assert said.code == 3
    assert f"{tool.capitalize()} → Keys → New." in said.text
    assert list(ready.folder.iterdir()) == []
    assert TOKEN not in said.text

    assert ready.alone(*JIRA, "--linear", "--notion", DATABASE, "--no-check").code == 0
    assert (ready.folder / "opsync.toml").exists()


def test_a_right_to_read_that_is_missing_ends_it_with_3_and_its_click_path(
    ready: Init, tools: Tools
) -> None:
    tools.linear.grants = (Grant("Read", "read", False, "issues", "Keys → New → Read."),)

    said = ready.alone("--linear")

    assert said.code == 3
    assert "  ✗ Read  is missing: issues." in said.text
    assert "the token lacks Read" in said.text
    assert said.text.count("Keys → New → Read.") == 2
    assert list(ready.folder.iterdir()) == []


def test_what_cannot_be_listed_ends_it_with_3(ready: Init, tools: Tools) -> None:
    tools.linear.choices = SignInError("Linear lists no teams.", hint="Keys → Teams.")

    said = ready.alone("--linear")

    assert (said.code, list(ready.folder.iterdir())) == (3, [])
    assert "Keys → Teams." in said.text


def test_a_right_without_which_most_can_be_read_is_told_only(ready: Init, tools: Tools) -> None:
    tools.notion.grants = (
        Grant("User information", "read", False, "owners", "Capabilities.", vital=False),
    )

    said = ready.alone("--notion", "Roadmap")

    assert said.code == 0, said.text
    assert "  ! User information  is missing: owners. The rest is read." in said.text


def test_a_right_to_write_that_is_missing_is_told_only(ready: Init, tools: Tools) -> None:
    tools.linear.grants = (
        Grant("Read", "read", True, "issues", "Keys."),
        Grant("Write", "write", False, "links", "Keys → Write."),
    )

    said = ready.alone("--linear")

    assert said.code == 0
    assert "  ! Write  is missing: links. Looking needs none of it." in said.text
    assert "      Keys → Write." in said.text


def test_a_tool_that_is_down_ends_it_and_nothing_is_written(ready: Init, tools: Tools) -> None:
    tools.linear.down = [TemporaryError("Linear answered 503.", hint="It is down.")]

    said = ready.alone("--linear")

    assert (said.code, list(ready.folder.iterdir())) == (1, [])
    assert "Linear answered 503." in said.text


def test_what_cannot_be_estimated_does_not_keep_the_rest(ready: Init, tools: Tools) -> None:
    tools.jira.first_read = TemporaryError("Jira answered 504.")

    said = ready.alone(*JIRA)

    assert said.code == 0
    assert "  ! First read: Could not be asked: Jira answered 504." in said.text
    assert "First read of all" not in said.text


def test_a_connection_that_would_not_work_as_configured_ends_it_with_1(
    ready: Init, tools: Tools
) -> None:
    tools.jira.checks = lambda settings: (Check("Fields", "fail", "No field X.", "Leave it out."),)

    said = ready.alone(*JIRA)

    assert said.code == 1
    assert "  ✗ Fields: No field X." in said.text
    assert (ready.folder / "opsync.toml").exists()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((), "nothing to connect"),
        (("--jira", "https://harbor.example"), "--jira-email is missing"),
        (("--jira", "https://x/browse/PAY-1", "--jira-email", "ana"), "address of one issue"),
        (("--jira", "https://x/browse/PAY-1", "--jira-email", "ana"), '"ana": is no email address'),
        (("--notion", "roadmap"), '--notion "roadmap": is no link and no id'),
        (("--linear", "--time-zone", "Nowhere"), '--time-zone "Nowhere": there is no such'),
        (("--linear", "--own-column", "delivery"), '--own-column "delivery": must be one of'),
        (("--notion", DATABASE, "--own-column", "x=y"), '--own-column "x=y": must be one of'),
        (("--sandbox", "http://127.0.0.1:9", "--linear"), "leave out the others"),
        (("--sandbox", "http://127.0.0.1:9"), "no sandbox answers at http://127.0.0.1:9"),
        (("--linear", "--out", "none/opsync.toml"), "cannot write none/opsync.toml"),
        (("--linear", "--linear-token-file", "none"), "cannot read the token in none: No such"),
        (("--linear", "--linear-token-file", "-"), "standard input holds no token"),
        (
            ("--linear", "--linear-token-file", "-", "--notion-token-file", "-"),
            "only one token can come from standard input",
        ),
    ],
)
def test_answers_that_make_no_configuration_write_nothing(
    init: Init, options: tuple[str, ...], why: str
) -> None:
    said = init.alone(*options)

    assert (said.code, list(init.folder.iterdir())) == (2, [])
    assert why in said.text


def test_a_project_that_is_not_there_is_told_with_those_that_are(ready: Init, tools: Tools) -> None:
    said = ready.alone(*JIRA, "--jira-project", "NOPE", "--jira-project", "PY")

    assert said.code == 2
    assert '--jira-project "NOPE": there is no "NOPE".' in said.text
    assert "MOB (Mobile), PAY (Payments)" in said.text
    assert '--jira-project "PY": there is no "PY". Perhaps: Payments' in said.text
    assert list(ready.folder.iterdir()) == []


def test_an_existing_file_is_refused_before_any_tool_is_asked(ready: Init, tools: Tools) -> None:
    (ready.folder / "opsync.toml").write_text("precious")

    said = ready.alone("--linear")

    assert said.code == 2
    assert "--force" in said.text
    assert (ready.folder / "opsync.toml").read_text() == "precious"
    assert tools.linear.tried == []
    assert ready.alone("--linear", "--force").code == 0
    assert "linear" in ready.written()["instances"]


def test_a_token_from_a_file_goes_where_it_is_told_to_and_nowhere_else(
    init: Init, tools: Tools
) -> None:
    (init.folder / "key").write_text(f"{TOKEN}\n")

    said = init.alone("--linear", "--linear-token-file", "key", "--secrets-dir", "kept")

    assert said.code == 0, said.text
    folder = init.folder / "kept"
    secret = folder / "OPSYNC_LINEAR__TOKEN"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.read_text() == TOKEN
    assert "*" in (folder / ".gitignore").read_text().splitlines()
    assert init.written()["secrets_dir"] == "kept"
    assert "token" not in init.written()["instances"]["linear"]
    assert TOKEN not in said.text + (init.folder / "opsync.toml").read_text()
    assert "OPSYNC_LINEAR__TOKEN" not in os.environ
    assert init.config().instances["linear"].settings.model_dump()["token"] is not None


def test_what_an_earlier_run_kept_is_used_again(init: Init, tools: Tools) -> None:
    (init.folder / "key").write_text(TOKEN)
    first = init.alone(
        "--linear", "--linear-token-file", "key", "--secrets-dir", "secrets", "--mode", "apply"
    )

    again = init.alone("--linear", "--force")

    assert (first.code, again.code) == (0, 0), again.text
    assert init.written()["secrets_dir"] == "secrets"
    assert (init.folder / "secrets" / "OPSYNC_LINEAR__TOKEN").read_text() == TOKEN
    assert "export" not in again.text


def test_a_token_from_standard_input_is_used_and_told_where_to_put(
    init: Init, tools: Tools
) -> None:
    said = init.alone("--linear", "--linear-token-file", "-", stdin=f"{TOKEN}\n")

    assert said.code == 0, said.text
    assert tools.linear.tried == [TOKEN]
    assert "export OPSYNC_LINEAR__TOKEN=…" in said.text
    assert [path.name for path in init.folder.iterdir()] == ["opsync.toml"]
    assert TOKEN not in said.text


def test_a_folder_that_others_may_look_into_gets_no_secret(init: Init, tools: Tools) -> None:
    (init.folder / "key").write_text(TOKEN)
    (init.folder / "open").mkdir(mode=0o755)

    said = init.alone("--linear", "--linear-token-file", "key", "--secrets-dir", "open")

    assert said.code == 2
    assert "others may look into open" in said.text
    assert list((init.folder / "open").iterdir()) == []
    assert tools.linear.tried == []


def test_a_folder_that_would_not_be_read_gets_no_secret(
    init: Init, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(init.folder))

    said = init.alone("--linear", "--secrets-dir", "kept")

    assert said.code == 2
    assert "OPSYNC_SECRETS_DIR is set, and wins over kept" in said.text


def test_a_token_in_the_folder_of_secrets_that_is_in_force_is_found(
    init: Init, tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = tmp_path / "mounted"
    secrets.mkdir()
    (secrets / "opsync_linear__token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(secrets))

    said = init.alone("--linear")

    assert said.code == 0, said.text
    assert tools.linear.tried == [TOKEN]
    assert "export" not in said.text


def test_it_ends_with_the_next_steps_for_the_file_it_wrote(init: Init) -> None:
    said = init.alone("--linear", "--out", "mine.toml")

    assert "opsync doctor --config mine.toml" in said.text
    assert "opsync sync --config mine.toml " in said.text
    assert "opsync apply --config mine.toml " in said.text


def test_it_ends_with_a_look_at_the_tools(ready: Init, tools: Tools) -> None:
    said = ready.alone("--linear", "--out", "mine.toml")

    assert said.code == 0, said.text
    assert scripted.looks == [Path("mine.toml")]
    assert said.text.index("Wrote mine.toml") < said.text.index("41 of 96 in progress")
    assert said.text.index("41 of 96 in progress") < said.text.index("Next:")


def test_what_the_look_came_to_is_what_it_ends_with(
    ready: Init, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "look_ends_with", [1])

    assert ready.alone("--linear").code == 1


@pytest.mark.parametrize("options", [("--no-look",), ("--no-check",)])
def test_the_look_can_be_left_out(ready: Init, tools: Tools, options: tuple[str, ...]) -> None:
    assert ready.alone("--linear", *options).code == 0

    assert scripted.looks == []


def test_without_all_tokens_there_is_nothing_to_look_at_yet(init: Init, tools: Tools) -> None:
    init.token("linear", TOKEN)

    said = init.alone("--linear", *JIRA)

    assert (said.code, scripted.looks) == (0, [])
    assert "opsync look" in said.text


def test_a_jira_address_may_be_copied_from_the_browser(init: Init) -> None:
    page = "harbor.atlassian.net/jira/your-work?atlOrigin=1"
    cloud = "00000000-1111-2222-3333-444444444444"

    said = init.alone("--jira", page, "--jira-email", "ana@harbor.example", "--jira-api", cloud)

    assert said.code == 0, said.text
    jira = init.settings("jira-main")
    assert jira["site"] == "https://harbor.atlassian.net"
    assert jira["base_url"] == f"https://api.atlassian.com/ex/jira/{cloud}"


def test_a_data_center_needs_no_email(init: Init) -> None:
    said = init.alone("--jira", "https://jira.example/jira", "--jira-datacenter")

    assert said.code == 0, said.text
    jira = init.settings("jira-main")
    assert (jira["site"], jira["deployment"]) == ("https://jira.example/jira", "datacenter")
    assert "Personal access tokens" in said.text
