"""`opsync init` with an analytics tool: where it is, its keys, its project, and the columns."""

from __future__ import annotations

import stat

import pytest

from opsync import Choice, Grant, SignInError, TemporaryError
from opsync.cli.init.table import ANALYTICS, Place, analytics, place_of
from opsync.model import MetricKind
from opsync.model.rules import MetricRule, Mode
from tests.cli.init.conftest import Init, roadmap_columns, with_use
from tests.cli.init.scripted import TOKEN, Tools

ENTER, NO = "", "n"
NOTION = ("--notion", "Roadmap")
TWO_KEYS = ("k3y-of-the-project", "s3cret-of-the-project")
METRICS = (MetricRule(instance="posthog", kind=MetricKind.flag, property="Flag"),)


@pytest.fixture
def roadmap(init: Init, tools: Tools) -> Init:
    """Notion and PostHog have tokens, and the roadmap has columns that tell of use."""
    init.token("notion", TOKEN)
    init.token("posthog", TOKEN)
    tools.notion.guesses = with_use
    return init


def test_all_is_told_by_one_link_and_written_as_it_will_be_read(
    roadmap: Init, tools: Tools
) -> None:
    said = roadmap.alone(*NOTION, "--analytics", "https://eu.posthog.com/project/7/insights/abc")

    assert said.code == 0, said.text
    assert roadmap.written()["instances"]["posthog"] == {
        "project": "7",
        "connector": "posthog",
        "region": "eu",
    }
    (rule,) = roadmap.config().rules
    assert rule.metrics == METRICS
    assert (rule.released, rule.announce_in, rule.mode) == ("Released", ("posthog",), Mode.propose)
    for line in (
        "PostHog",
        "  ✓ Query        how much things are used",
        (
            "  ! Annotations  annotations on charts. Whether it is there shows with the first "
            "write; looking needs none."
        ),
        "  ✓ Measures in project 7 (Harbor)",
        "  Its days begin in America/New_York, as it says.",
        "  First read: about 1 request, 0.5 s",
        "  First read of all: at least 4 requests, 5.0 s",
    ):
        assert line in said.text.splitlines(), said.text
    assert TOKEN not in said.text + (roadmap.folder / "opsync.toml").read_text()


def test_the_columns_that_tell_of_use_are_shown_with_real_rows(roadmap: Init) -> None:
    said = roadmap.alone(*NOTION, "--analytics", "posthog")

    table = said.text.partition('Columns of "Roadmap" that tell of use')[2].splitlines()[1:5]
    assert [cell.strip() for cell in table[0].split("  ") if cell.strip()] == [
        "title: Name",
        "flag: Flag",
        "released: Released",
    ]
    assert table[2].split() == ["Instant", "payouts", "instant-payouts", "2026-11-07"]


def test_nothing_is_measured_unless_somebody_says_so(roadmap: Init) -> None:
    said = roadmap.alone(*NOTION)

    assert said.code == 0, said.text
    assert list(roadmap.written()["instances"]) == ["notion"]
    assert "metric" not in (roadmap.folder / "opsync.toml").read_text()
    assert "announce_in" not in roadmap.written()["rollup"][0]
    assert "unset OPSYNC_POSTHOG__TOKEN" in said.text


def test_a_person_is_asked_little_and_the_keys_are_kept_apart(init: Init, tools: Tools) -> None:
    tools.notion.guesses = with_use
    init.token("notion", TOKEN)

    said = init.asked(
        answers=(
            *(NO, NO, "y", ENTER, "y"),
            *("https://us.posthog.com/project/7", TOKEN, "y", "y"),
            "y",
        )
    )

    assert said.code == 0, said.text
    assert init.config().rules[0].metrics == METRICS
    assert init.settings("posthog")["region"] == "us"
    secret = init.folder / "secrets" / "OPSYNC_POSTHOG__TOKEN"
    assert secret.read_text() == TOKEN
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert "Make a token: PostHog → Settings → Personal API keys" in said.text
    assert "  Personal API key (it does not show" in said.text
    assert TOKEN not in said.text + (init.folder / "opsync.toml").read_text()


@pytest.mark.parametrize("answer", [ENTER, "none", "no", "N"])
def test_no_analytics_is_the_answer_of_enter(roadmap: Init, answer: str) -> None:
    said = roadmap.asked(answers=(NO, NO, "y", ENTER, "y", answer))

    assert said.code == 0, said.text
    assert list(roadmap.written()["instances"]) == ["notion"]


def test_the_tool_and_the_region_can_be_typed(init: Init, tools: Tools) -> None:
    init.token("linear", TOKEN)

    said = init.asked(
        answers=(
            *(NO, "y", ENTER, NO),
            *("measure", "Mixpanel", "mars", "in", ENTER, "7", "opsync.1a2b.mp-service-account"),
            *(TOKEN, "y", "y"),
        )
    )

    assert said.code == 0, said.text
    assert '! "measure" is none of them' in said.text
    assert '! "mars" is no region' in said.text
    assert init.written()["instances"]["mixpanel"] == {
        "project": "7",
        "connector": "mixpanel",
        "region": "in",
        "username": "opsync.1a2b.mp-service-account",
    }
    assert [one.name for one in (init.folder / "secrets").glob("OPSYNC_*")] == [
        "OPSYNC_MIXPANEL__SECRET"
    ]


def test_a_tool_with_several_keys_asks_for_each(init: Init, tools: Tools) -> None:
    init.token("linear", TOKEN)
    tools.amplitude.tokens = (" ".join(TWO_KEYS),)
    tools.amplitude.zone = ""

    said = init.asked(
        answers=(
            *(NO, "y", ENTER, NO),
            *("amplitude", "eu", "https://app.eu.amplitude.com/analytics/x/settings/projects/123"),
            *(*TWO_KEYS, ENTER, "Nowhere", ENTER, "y"),
            "y",
        )
    )

    assert said.code == 0, said.text
    assert init.written()["instances"]["amplitude"] == {
        "project": "123",
        "connector": "amplitude",
        "region": "eu",
        "time_zone": "Europe/Berlin",
    }
    secrets = {one.name: one.read_text() for one in (init.folder / "secrets").glob("OPSYNC_*")}
    assert secrets == {
        "OPSYNC_AMPLITUDE__API_KEY": TWO_KEYS[0],
        "OPSYNC_AMPLITUDE__SECRET_KEY": TWO_KEYS[1],
    }
    assert "Projects → the project → General" in said.text
    assert 'there is no time zone "Nowhere"' in said.text


def test_keys_that_are_refused_are_asked_again_one_by_one(init: Init, tools: Tools) -> None:
    tools.amplitude.tokens = (" ".join(TWO_KEYS),)
    init.token("notion", TOKEN)
    init.token("amplitude", TWO_KEYS[0], "api_key")
    init.token("amplitude", "an-0ld-secret", "secret_key")

    said = init.asked(
        *(*NOTION, "--analytics", "amplitude", "--analytics-project", "123"),
        answers=("y", "eu", ENTER, TWO_KEYS[1], NO, "y", "y"),
    )

    assert said.code == 0, said.text
    assert "✗ Amplitude refused the token" in said.text
    assert "That was OPSYNC_AMPLITUDE__SECRET_KEY of the environment." in said.text
    assert "Another API key (empty: the same)" in said.text
    assert "! OPSYNC_AMPLITUDE__SECRET_KEY is still set in the environment" in said.text
    assert [one.name for one in (init.folder / "secrets").glob("OPSYNC_*")] == [
        "OPSYNC_AMPLITUDE__SECRET_KEY"
    ]


def test_a_key_of_another_region_can_be_tried_there(roadmap: Init, tools: Tools) -> None:
    tools.posthog.down = [SignInError("PostHog refused the key.", hint="It may be of the EU.")]

    said = roadmap.asked(
        *(*NOTION, "--analytics", "https://us.posthog.com/project/7"),
        answers=("y", ENTER, "address", "eu", "y", "y"),
    )

    assert said.code == 0, said.text
    assert roadmap.settings("posthog")["region"] == "eu"
    assert "      It may be of the EU." in said.text


def test_a_tool_that_refuses_can_be_left_out(roadmap: Init, tools: Tools) -> None:
    tools.posthog.tokens = ()

    said = roadmap.asked(*NOTION, "--analytics", "posthog", answers=("y", "us", ENTER, "skip"))

    assert said.code == 0, said.text
    assert list(roadmap.written()["instances"]) == ["notion"]
    assert "metric" not in roadmap.written()["rollup"][0]


def test_of_several_projects_one_is_picked(roadmap: Init, tools: Tools) -> None:
    tools.posthog.choices = (Choice("7", "Harbor"), Choice("8", "Harbor staging"), Choice("2", "X"))

    said = roadmap.asked(
        *(*NOTION, "--analytics", "posthog", "--analytics-region", "eu"),
        answers=("y", ENTER, "all", "staging", "y", "y"),
    )

    assert said.code == 0, said.text
    assert roadmap.settings("posthog")["project"] == "8"
    assert "! One only" in said.text
    assert tools.posthog.looked_at[0].project == "8"


@pytest.mark.parametrize(
    ("project", "told"),
    [
        ("", "--analytics-project is missing: the key sees 2 projects: 7 (Harbor), 2 (Staging)"),
        ("1", '--analytics-project "1": the key does not see this project. There are: 7, 2'),
        ("a", '--analytics-project "a": "a" is in 2 of the names.'),
    ],
)
def test_unattended_the_project_must_be_certain(
    roadmap: Init, tools: Tools, project: str, told: str
) -> None:
    tools.posthog.choices = (Choice("7", "Harbor"), Choice("2", "Staging"))
    options = (*NOTION, "--analytics", "posthog", "--analytics-project", project)

    said = roadmap.alone(*options)

    assert said.code == 2, said.text
    assert told in said.text
    assert list(roadmap.folder.iterdir()) == []


@pytest.mark.parametrize("project", ["2", "Staging", "https://us.posthog.com/project/2/flags"])
def test_a_project_is_named_by_id_name_or_link(roadmap: Init, tools: Tools, project: str) -> None:
    tools.posthog.choices = (Choice("7", "Harbor"), Choice("2", "Staging"))

    said = roadmap.alone(*NOTION, "--analytics", "posthog", "--analytics-project", project)

    assert said.code == 0, said.text
    assert roadmap.settings("posthog")["project"] == "2"


def test_a_key_that_sees_no_project_is_told_where_to_make_another(
    roadmap: Init, tools: Tools
) -> None:
    tools.posthog.choices = ()

    said = roadmap.alone(*NOTION, "--analytics", "posthog")
    asked = roadmap.asked(*NOTION, "--analytics", "posthog", answers=("y", "us"))

    assert said.code == 3
    assert "Personal API keys → Create personal API key" in said.text
    assert asked.code == 0, asked.text
    assert list(roadmap.written()["instances"]) == ["notion"]


def test_a_key_that_may_not_list_projects_will_do_for_one_that_is_named(
    roadmap: Init, tools: Tools
) -> None:
    tools.posthog.choices = SignInError("The key lacks project:read.", hint="Scopes → Project.")

    said = roadmap.alone(*NOTION, "--analytics", "posthog")
    named = roadmap.alone(*NOTION, "--analytics", "https://us.posthog.com/project/7")
    asked = roadmap.asked(
        *(*NOTION, "--analytics", "posthog", "--force"),
        answers=("y", "us", "https://us.posthog.com/project/8", "y", "y"),
    )

    assert (said.code, named.code, asked.code) == (3, 0, 0), asked.text
    assert "Scopes → Project." in said.text
    assert "  ✓ Measures in project 7" in named.text
    assert roadmap.settings("posthog")["project"] == "8"


def test_a_right_to_read_that_is_missing_ends_it_with_3_and_its_click_path(
    roadmap: Init, tools: Tools
) -> None:
    tools.posthog.grants = (Grant("query:read", "read", False, "use", "Keys → query:read."),)

    said = roadmap.alone(*NOTION, "--analytics", "posthog")

    assert (said.code, list(roadmap.folder.iterdir())) == (3, [])
    assert "  ✗ query:read  is missing: use." in said.text
    assert "      Keys → query:read." in said.text


def test_a_zone_that_is_not_told_is_the_general_one_or_as_named(
    roadmap: Init, tools: Tools
) -> None:
    tools.posthog.zone = ""

    said = roadmap.alone(*NOTION, "--analytics", "posthog")
    named = roadmap.alone(
        *(*NOTION, "--analytics", "posthog", "--analytics-zone", "Asia/Tokyo", "--force")
    )

    assert "time zone" not in roadmap.written()["instances"]["posthog"]
    assert "Europe/Berlin, as all others" in said.text
    assert named.code == 0, named.text
    assert roadmap.settings("posthog")["time_zone"] == "Asia/Tokyo"


def test_a_zone_that_cannot_be_asked_for_keeps_nobody(roadmap: Init, tools: Tools) -> None:
    tools.posthog.zone = TemporaryError("PostHog answered 503.")

    said = roadmap.alone(*NOTION, "--analytics", "posthog")

    assert said.code == 0, said.text
    assert "! Time zone: Could not be asked: PostHog answered 503." in said.text


def test_without_a_column_nothing_is_measured_yet_and_the_file_says_how(
    roadmap: Init, tools: Tools
) -> None:
    tools.notion.guesses = lambda settings: [
        guess for guess in with_use(settings) if guess.role not in ("flag", "released")
    ]

    said = roadmap.alone(*NOTION, "--analytics", "posthog")
    text = (roadmap.folder / "opsync.toml").read_text()

    assert said.code == 0, said.text
    assert 'No column of "Roadmap" names an event or a flag' in said.text
    assert "metric" not in roadmap.written()["rollup"][0]
    assert roadmap.written()["rollup"][0]["announce_in"] == ["posthog"]
    assert '#[[rollup.metric]]\n#instance = "posthog"\n#flag_from = "Flag"\n' in text
    uncommented = (
        text.replace("#[[rollup", "[[rollup").replace("#inst", "inst").replace("#flag", "flag")
    )
    (roadmap.folder / "opsync.toml").write_text(uncommented)
    assert roadmap.config().rules[0].metrics == METRICS


def test_the_columns_can_be_named_and_are_shown_again(roadmap: Init) -> None:
    said = roadmap.asked(
        *(*NOTION, "--analytics", "https://us.posthog.com/project/7"),
        answers=("y", NO, "Nope", "Team", "none", ENTER, "Kick-off", "y", NO),
    )

    assert said.code == 0, said.text
    assert '! No column "Nope" can hold it. There are: "Flag", "Team"' in said.text
    (rule,) = roadmap.config().rules
    assert [(one.kind, one.property) for one in rule.metrics] == [(MetricKind.event, "Team")]
    assert (rule.released, rule.announce_in) == ("Kick-off", ())
    assert '#announce_in = ["posthog"]' in (roadmap.folder / "opsync.toml").read_text()
    again = said.text.rpartition("that tell of use")[2]
    assert "event: Team" in again
    assert "Payments" in again


def test_a_column_that_was_not_recognised_can_be_named(roadmap: Init, tools: Tools) -> None:
    tools.notion.guesses = lambda settings: [
        guess for guess in with_use(settings) if guess.role != "flag"
    ]

    said = roadmap.asked(
        *(*NOTION, "--analytics", "https://us.posthog.com/project/7"),
        answers=("y", "y", "Flag", ENTER, ENTER, ENTER, "y", "y"),
    )

    assert said.code == 0, said.text
    (metric,) = roadmap.config().rules[0].metrics
    assert (metric.kind, metric.property) == (MetricKind.event, "Flag")


def test_columns_and_the_announcement_are_told_by_options(roadmap: Init) -> None:
    said = roadmap.alone(
        *(*NOTION, "--analytics", "posthog", "--flag-column", "Team", "--no-announce"),
        *("--released-column", "Kick-off", "--event-column", "Flag", "--insight-column", "Flag"),
    )

    assert said.code == 0, said.text
    (rule,) = roadmap.config().rules
    assert [(one.kind.value, one.property) for one in rule.metrics] == [
        ("event", "Flag"),
        ("flag", "Team"),
        ("insight", "Flag"),
    ]
    assert (rule.released, rule.announce_in) == ("Kick-off", ())


@pytest.mark.parametrize("option", ["--flag-column", "--released-column"])
def test_a_column_that_is_not_there_is_refused(roadmap: Init, option: str) -> None:
    said = roadmap.alone(*NOTION, "--analytics", "posthog", option, "Nope")

    assert (said.code, list(roadmap.folder.iterdir())) == (2, [])
    assert f'{option} "Nope": "Roadmap" has no column of that name that can hold it.' in said.text


def test_without_a_token_all_can_be_told_by_options(init: Init, tools: Tools) -> None:
    said = init.alone(
        *("--notion", "0123456789abcdef0123456789abcdef", "--analytics", "amplitude"),
        *("--analytics-project", "123", "--analytics-zone", "Asia/Tokyo", "--flag-column", "Flag"),
    )

    assert said.code == 0, said.text
    assert (
        "Not tested: OPSYNC_AMPLITUDE__API_KEY and OPSYNC_AMPLITUDE__SECRET_KEY are not set."
        in said.text
    )
    assert "export OPSYNC_AMPLITUDE__API_KEY=…" in said.text
    assert "export OPSYNC_AMPLITUDE__SECRET_KEY=…" in said.text
    assert said.text.count("managers and admins make them") == 1
    assert init.config().rules[0].metrics[0].property == "Flag"
    assert (
        "# The keys come from the environment: OPSYNC_AMPLITUDE__API_KEY, "
        in (init.folder / "opsync.toml").read_text()
    )


def test_keys_come_from_files_and_are_kept(init: Init, tools: Tools) -> None:
    init.token("linear", TOKEN)
    tools.amplitude.tokens = (" ".join(TWO_KEYS),)
    for name, key in zip(("a", "b"), TWO_KEYS, strict=True):
        (init.folder / name).write_text(f"{key}\n")

    said = init.alone(
        *("--linear", "--analytics", "amplitude", "--analytics-project", "123"),
        *("--analytics-key-file", "api_key=a", "--analytics-key-file", "secret_key=b"),
        *("--secrets-dir", "secrets"),
    )

    assert said.code == 0, said.text
    assert (init.folder / "secrets" / "OPSYNC_AMPLITUDE__SECRET_KEY").read_text() == TWO_KEYS[1]
    assert init.config().rules[0].announce_in == ("amplitude",)
    assert '#event = "checkout_paid"' in (init.folder / "opsync.toml").read_text()


def test_keys_that_an_earlier_run_put_away_are_found_again(init: Init, tools: Tools) -> None:
    init.token("linear", TOKEN)
    options = ("--linear", "--analytics", "https://eu.posthog.com/project/7")
    (init.folder / "key").write_text(TOKEN)
    kept = ("--analytics-key-file", "key", "--secrets-dir", "secrets")
    assert init.alone(*options, *kept).code == 0
    (init.folder / "key").unlink()

    said = init.alone(*options, "--force")

    assert said.code == 0, said.text
    assert "Not tested" not in said.text
    assert init.written()["secrets_dir"] == "secrets"
    assert tools.posthog.tried[-1] == TOKEN


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--analytics", "posthog"), "PostHog has no initiatives"),
        (("--linear", "--analytics", "heap"), '--analytics "heap": must be PostHog, Amplitude'),
        (("--linear", "--analytics", "https://x.example/"), "the link of a project there"),
        (
            ("--linear", "--analytics", "amplitude", "--analytics-region", "in"),
            '--analytics-region "in": Amplitude has us, eu.',
        ),
        (
            ("--linear", "--analytics", "amplitude"),
            "--analytics-project is missing: the id of the project, or its link: Amplitude → Se",
        ),
        (
            ("--linear", "--analytics", "mixpanel", "--analytics-project", "7"),
            "--analytics-user is missing: the service account's username",
        ),
        (
            ("--linear", "--analytics", "posthog", "--analytics-zone", "Mars"),
            '--analytics-zone "Mars": there is no such time zone',
        ),
        (
            ("--linear", "--analytics", "posthog", "--analytics-project", "Harbor"),
            '--analytics-project "Harbor": is no id, and no link with one',
        ),
        (("--linear", "--analytics-key-file", "a"), "name the tool too, with --analytics"),
        (
            ("--linear", "--analytics", "amplitude", "--analytics-key-file", "a"),
            '--analytics-key-file "a": Amplitude has api_key, secret_key, management_key',
        ),
        (
            ("--linear", "--analytics", "posthog", "--analytics-url", "http://posthog.example"),
            "in the clear",
        ),
    ],
)
def test_answers_that_make_no_configuration_write_nothing(
    init: Init, tools: Tools, options: tuple[str, ...], why: str
) -> None:
    said = init.alone(*options)

    assert said.code == 2, said.text
    assert why in said.text
    assert list(init.folder.iterdir()) == []


def test_the_variables_of_a_tool_that_may_yet_be_named_are_none_of_nothing(
    init: Init, tools: Tools
) -> None:
    init.token("linear", TOKEN)
    init.token("mixpanel", TOKEN, "secret")
    init.token("mixpanel", "opsync.1a2b.mp-service-account", "username")

    said = init.asked(answers=(NO, "y", ENTER, NO, "mixpanel", "us", "7", "y"))

    assert said.code == 0, said.text
    assert init.settings("mixpanel")["username"] == "opsync.1a2b.mp-service-account"
    assert "username" not in init.written()["instances"]["mixpanel"]


def test_stopping_at_the_last_question_leaves_nothing_behind(roadmap: Init) -> None:
    said = roadmap.asked(*NOTION, "--analytics", "posthog", answers=("y", "us", "y"))

    assert (said.code, list(roadmap.folder.iterdir())) == (130, [])


@pytest.mark.parametrize(
    ("link", "tool", "region", "api", "project"),
    [
        ("https://us.posthog.com/project/7/insights/a", "posthog", "us", "", "7"),
        ("eu.posthog.com/project/12345", "posthog", "eu", "", "12345"),
        ("https://app.posthog.com/project/7", "posthog", "us", "", "7"),
        ("https://eu.posthog.com/insights/abc", "posthog", "eu", "", ""),
        ("https://ph.x.example/project/3", "posthog", "", "https://ph.x.example", "3"),
        ("http://127.0.0.1:9/ph/project/3/", "posthog", "", "http://127.0.0.1:9/ph", "3"),
        ("https://app.amplitude.com/analytics/x/chart/abc", "amplitude", "us", "", ""),
        (
            "https://app.eu.amplitude.com/analytics/x/settings/projects/12/general",
            "amplitude",
            "eu",
            "",
            "12",
        ),
        ("https://mixpanel.com/project/9/view/8/app/home", "mixpanel", "us", "", "9"),
        ("https://in.mixpanel.com/project/9", "mixpanel", "in", "", "9"),
    ],
)
def test_a_link_tells_where_a_project_is(
    link: str, tool: str, region: str, api: str, project: str
) -> None:
    expected = analytics(tool)
    assert expected is not None
    assert place_of(link) == Place(expected, region, api, project)
    assert place_of(link, expected) == Place(expected, region, api, project)


@pytest.mark.parametrize(
    "link", ["", "posthog", "https://www.notion.so/x", "https://x.example/insights", "7"]
)
def test_what_leads_to_no_project_is_none(link: str) -> None:
    assert place_of(link) is None


def test_a_link_of_another_tool_is_none_of_this_one() -> None:
    for one in ANALYTICS:
        others = [other for other in ANALYTICS if other is not one]
        for other in others:
            assert place_of(f"https://{other.regions['us']}/project/7", one) is None


def test_other_roadmaps_are_left_as_they_were(roadmap: Init, tools: Tools) -> None:
    """A connector that tells no columns of use is asked nothing about them."""
    tools.notion.guesses = roadmap_columns

    said = roadmap.alone(*NOTION, "--analytics", "posthog", "--flag-column", "Feature")

    assert said.code == 0, said.text
    assert roadmap.config().rules[0].metrics[0].property == "Feature"
    assert "that tell of use" not in said.text
