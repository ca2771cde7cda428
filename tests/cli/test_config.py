"""`opsync config`, `db` and `plugins`."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Company


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


def test_schema_has_the_settings_of_loaded_connectors(company: Company) -> None:
    found = company.opsync("config", "schema").json
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
