"""`opsync config`, `db` and `plugins`."""

from __future__ import annotations

import pytest

from opsync.languages import TEXTS
from opsync.languages.words import load
from tests.cli.conftest import Company, Result

GERMAN = 'wording.language = "de"\n'


def test_show_hides_secrets_and_says_where_each_value_came_from(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPSYNC_ROADMAP__TOKEN", "another-s3cr3t")
    result = company.opsync("config", "show")
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in result.lines}
    assert rows["time_zone"] == ["Europe/Berlin", "file"]
    assert rows["log_level"] == ["warning", "default"]
    assert rows["instances.work.token"] == ["**********", "file"]
    assert rows["instances.roadmap.token"] == [
        "**********",
        "environment OPSYNC_ROADMAP__TOKEN",
    ]
    assert "s3cr3t" not in result.out + result.err


def test_check_tells_all_problems_at_once(company: Company) -> None:
    company.configure(more='time_zoen = "UTC"\nlog_level = "loud"\n')
    result = company.opsync("config", "check")
    assert result.code == 2
    assert len(result.err.splitlines()) == 2
    found = company.opsync("config", "check", "--json")
    assert found.code == 2
    assert len(found.json["problems"]) == 2


def test_check_says_that_all_is_right(company: Company) -> None:
    result = company.opsync("config", "check")
    assert result.code == 0
    assert "  rules        roadmap (apply)" in result.lines


def test_check_warns_of_a_secret_in_the_configuration(company: Company) -> None:
    (company.folder / "opsync.toml").chmod(0o600)
    result = company.opsync("config", "check")
    assert result.code == 0
    (told,) = [line for line in result.lines if line.startswith("! ")]
    assert told == (
        "! instances.work.token stands in the configuration: keep it in OPSYNC_WORK__TOKEN, or in "
        "a file of this name in the secrets folder"
    )
    assert company.opsync("config", "check", "--json").json["warnings"] == [told[2:]]
    assert "s3cr3t" not in result.out


def test_schema_has_the_settings_of_loaded_connectors(company: Company) -> None:
    found = company.opsync("config", "schema", "--json").json
    assert found == company.opsync("config", "schema").json
    assert found["$defs"]["toy"]["properties"]["connector"] == {"const": "toy"}
    assert "file" in found["$defs"]["toy"]["required"]
    instances = found["properties"]["instances"]
    assert {"$ref": "#/$defs/toy"} in instances["additionalProperties"]["anyOf"]


def test_plugins_are_listed_with_why_one_is_not_loaded(company: Company) -> None:
    (company.folder / "plugins" / "broken.py").write_text("import nothing_of_that_name\n")
    result = company.opsync("plugins", "--json")
    found = {one["name"]: one for one in result.json}
    assert result.code == 1
    assert found["toy"]["state"] == "loaded"
    assert found["toy"]["capabilities"] == ["reads", "writes", "doctor"]
    assert found["toy"]["origin"] == "drop-in toy.py"
    assert found["broken"]["state"] == "failed"
    assert "nothing_of_that_name" in found["broken"]["why"]
    assert found["jira"]["state"] == "not loaded"


def test_plugins_are_listed_although_the_configuration_has_faults(company: Company) -> None:
    company.configure(more='stoer = "x"\n')
    result = company.opsync("plugins")
    assert result.code == 0
    assert any(line.startswith("toy\tloaded\t") for line in result.lines)


@pytest.mark.usefixtures("stores_by_revisions")
def test_the_store_can_be_made_and_checked(company: Company) -> None:
    assert company.opsync("db", "upgrade").code == 0
    result = company.opsync("db", "check")
    assert result.code == 0
    assert "is sound: 0 items" in result.out


def test_a_damaged_store_is_told_with_5(synced: Company) -> None:
    for name in ("opsync.db-wal", "opsync.db-shm"):
        (synced.folder / name).unlink(missing_ok=True)
    (synced.folder / "opsync.db").write_bytes(b"this is no database" * 100)
    result = synced.opsync("db", "check")
    assert result.code == 5
    assert "damaged" in result.err


# Texts --------------------------------------------------------------------------------------------


def texts(result: Result) -> dict[str, list[str]]:
    """What was tried, by the name of its text."""
    found: dict[str, list[str]] = {}
    for one in result.json["texts"]:
        found.setdefault(one["name"], []).append(one["text"])
    return found


def test_check_tries_the_texts_on_what_was_read(synced: Company) -> None:
    result = synced.opsync("config", "check")
    assert "  texts        en, tried on 3 initiatives and 2 links of the store" in result.lines
    assert any(
        line.startswith("    delivery of One-tap checkout: 1 of 2 done · 1 blocked")
        for line in result.lines
    )
    assert any("(made up): 7 of 11 done · 4 in a private" in line for line in result.lines)


def test_check_tries_another_language_before_anything_is_written(synced: Company) -> None:
    before = synced.read("roadmap")
    synced.configure(more=GERMAN)
    found = texts(synced.opsync("config", "check", "--json"))
    assert found["summary"][0].startswith("1/2 erledigt")
    assert found["no_work"] == ["Keine verknüpfte Arbeit."]
    assert found["health"] == [
        "Nicht begonnen, Im Plan, Gefährdet, In Verzug, Pausiert, Erledigt, Keine verknüpfte Arbeit"
    ]
    assert synced.read("roadmap") == before


def test_check_shows_every_text(company: Company) -> None:
    company.configure(more=marked_texts())
    said = " ".join(
        one["text"] for one in company.opsync("config", "check", "--json").json["texts"]
    )
    assert [name for name in TEXTS if f"<{name}>" not in said] == []


def test_check_uses_made_up_items_without_a_store_and_says_so(company: Company) -> None:
    result = company.opsync("config", "check")
    assert result.code == 0
    assert "  texts        en, tried on made-up items: there is no store yet" in result.lines
    made = company.opsync("config", "check", "--json").json["texts"]
    assert {one["made_up"] for one in made if one["about"]} == {True}


def test_check_goes_on_where_the_store_is_damaged(synced: Company) -> None:
    for name in ("opsync.db-wal", "opsync.db-shm"):
        (synced.folder / name).unlink(missing_ok=True)
    (synced.folder / "opsync.db").write_bytes(b"this is no database" * 100)
    result = synced.opsync("config", "check")
    assert result.code == 0
    assert any("tried on made-up items: " in line and "damaged" in line for line in result.lines)


def test_check_warns_of_a_text_that_is_too_long_for_its_place(synced: Company) -> None:
    synced.configure(more=f'wording.texts.summary = "{"so far " * 40}{{done}}"\n')
    result = synced.opsync("config", "check")
    [warning] = [line for line in result.lines if line.startswith("! wording.")]
    assert warning.startswith("! wording.texts.summary: 281 characters about ")
    assert "where 255 fit, and 2 more are too long" in warning
    assert warning[2:] in synced.opsync("config", "check", "--json").json["warnings"]


def test_check_shows_private_work_as_other_tools_may_see_it(synced: Company) -> None:
    synced.edit("work", lambda state: state["items"][0].update(private=True))
    synced.opsync("sync")
    result = synced.opsync("config", "check")
    assert result.code == 0
    assert "Checkout core 1/2" not in result.out


def test_show_has_the_templates_in_force(company: Company) -> None:
    company.configure(more=GERMAN + 'wording.texts.blocked = "{count} hängen"\n')
    result = company.opsync("config", "show")
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in result.lines}
    assert rows["wording.language"] == ["de", "file"]
    assert rows["wording.texts.blocked"] == ["{count} hängen", "file"]
    assert rows["wording.texts.due"] == ["fällig {date}", "default"]
    assert rows["wording.health.at_risk"] == ["Gefährdet", "default"]


def test_schema_tells_the_fields_of_each_text(company: Company) -> None:
    found = company.opsync("config", "schema").json
    about = found["$defs"]["TextsBlock"]["properties"]["scope"]["description"]
    assert about.endswith("Fields: {count}, {date}.")


def marked_texts() -> str:
    """A configuration in which each text begins with its own name."""
    english = load("en").texts
    return "".join(f"wording.texts.{name} = '<{name}>{english[name]}'\n" for name in TEXTS)
