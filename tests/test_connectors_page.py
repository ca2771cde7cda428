"""docs/connectors.md: its connector runs as it stands, and its lists are complete."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsync import (
    Category,
    Connector,
    Diagnosable,
    Explorable,
    ManagesWebhooks,
    Readable,
    WebhookSource,
    Writable,
)
from opsync.cli.root import run
from opsync.config import Config, read
from opsync.contract.hookspecs import OpsyncHooks
from opsync.engine.session import open_session
from opsync.plugins import load
from opsync.report import PassReport
from opsync.store import Store
from tests.support.clock import FakeClock

PAGE = Path(__file__).resolve().parents[1] / "docs" / "connectors.md"
TEXT = PAGE.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


CONNECTOR, EXPLORABLE, VETO = blocks("python")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a reader has after following the first part of the page."""
    monkeypatch.setenv("OPSYNC_SECRETS_DIR", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "roadmap_csv.py").write_text(CONNECTOR, encoding="utf-8")
    (tmp_path / "roadmap.csv").write_text(blocks("csv")[0], encoding="utf-8")
    (tmp_path / "opsync.toml").write_text(blocks("toml")[0], encoding="utf-8")
    return tmp_path


async def sync(config: Config) -> PassReport:
    async with open_session(config, "sync") as session:
        return await session.sync("sync")


def test_the_connector_is_short() -> None:
    assert len(CONNECTOR.splitlines()) < 60


def test_the_connector_is_shown_as_loaded_with_what_it_can_do(folder: Path) -> None:
    infos = {info.name: info for info in read(folder / "opsync.toml").plugins.infos}

    info = infos["roadmap_csv"]

    assert (info.state, info.why) == ("loaded", "")
    assert info.origin == "drop-in roadmap_csv.py"
    assert info.connectors == ("csv",)
    assert info.capabilities == ("reads",)


async def test_the_connector_reads_the_file_with_a_sync(folder: Path) -> None:
    config = read(folder / "opsync.toml")

    report = await sync(config)

    store = Store.open(config.store, clock=FakeClock())
    records = await store.records_page(instance="plan")
    rollups = await store.rollups("plan")
    await store.close()
    assert (report.exit_code, report.records, report.read_requests) == (0, 3, 0)
    assert [(r.title, r.category) for r in records] == [
        ("Instant payouts", Category.in_progress),
        ("Payout ledger", Category.done),
        ("Offline mode", Category.todo),
    ]
    assert [m.alias for m in records[2].mentions] == ["MOB-20"]
    assert len(rollups) == 3


def test_the_commands_of_the_page_show_the_plugin_and_its_records(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = [line.removeprefix("$ opsync ") for line in blocks("console")[0].splitlines()]
    assert commands == ["plugins", "sync", "records"]

    told = {}
    for command in commands:
        assert run([command]) == 0
        told[command] = capsys.readouterr().out

    assert re.search(r"roadmap_csv\s+loaded\s+drop-in roadmap_csv\.py", told["plugins"])
    assert all(title in told["records"] for title in ("Instant payouts", "Offline mode"))


async def test_a_row_that_is_deleted_is_gone_after_the_next_sync(folder: Path) -> None:
    config = read(folder / "opsync.toml")
    await sync(config)
    file = folder / "roadmap.csv"
    file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]))

    report = await sync(config)

    assert [instance.missing for instance in report.instances] == [1]


async def test_a_row_with_a_wrong_date_is_set_aside_alone(folder: Path) -> None:
    file = folder / "roadmap.csv"
    file.write_text(file.read_text(encoding="utf-8").replace("2030-06-15", "soon"))

    report = await sync(read(folder / "opsync.toml"))

    assert (report.records, report.quarantined, report.exit_code) == (2, 1, 1)


def test_the_configuration_can_overrule_a_status(folder: Path) -> None:
    path = folder / "opsync.toml"
    with path.open("a", encoding="utf-8") as file:
        file.write('[instances.plan.statuses]\nplanned = "backlog"\n')
    config = read(path)

    settings = config.instances["plan"].settings

    assert settings.statuses == {"planned": Category.backlog}


def test_the_file_can_be_explored_as_the_page_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = CONNECTOR.replace("return [CsvRoadmap]", "return [OpenRoadmap]") + EXPLORABLE
    (folder / "plugins" / "roadmap_csv.py").write_text(whole, encoding="utf-8")
    rows = folder / "roadmap.csv"
    rows.write_text(f"{rows.read_text(encoding='utf-8')}4,Partner API,parked,,\n")
    assert run(["sync"]) == 0
    capsys.readouterr()

    assert run(["statuses", "--all"]) == 0
    told = capsys.readouterr().out

    assert told.index("Counts as nothing (1)") < told.index("parked") < told.index("planned")
    assert not run(["statuses", "--json"])
    assert '"asked": true' in capsys.readouterr().out


def test_the_veto_of_the_page_is_a_hook_that_loads(tmp_path: Path) -> None:
    (tmp_path / "freeze.py").write_text(VETO, encoding="utf-8")

    infos = {info.name: info for info in load(wanted=(), plugins_dir=tmp_path).infos}

    assert infos["freeze"].state == "loaded"


def hooks() -> Iterator[tuple[str, str]]:
    for name, function in vars(OpsyncHooks).items():
        if not name.startswith("_"):
            arguments = [a for a in inspect.signature(function).parameters if a != "self"]
            yield name, f"{name}({', '.join(arguments)})"


@pytest.mark.parametrize(("name", "call"), list(hooks()))
def test_every_hook_is_on_the_page_with_its_exact_arguments(name: str, call: str) -> None:
    assert f"### `{call}`\n" in TEXT, name


def test_the_page_has_no_hook_that_is_not_there() -> None:
    told = re.findall(r"^### `(\w+)\(.*\)`$", TEXT, re.MULTILINE)

    assert sorted(told) == sorted(name for name, _ in hooks())


@pytest.mark.parametrize(
    "class_", [Readable, Writable, WebhookSource, ManagesWebhooks, Diagnosable, Explorable]
)
def test_every_method_of_a_capability_is_on_the_page(class_: type) -> None:
    section = TEXT.split(f"### {class_.__name__}\n", 1)[1].split("\n#", 1)[0]
    public = {
        name: thing
        for name, thing in {**class_.__annotations__, **vars(class_)}.items()
        if not name.startswith("_")
    }

    for name, thing in public.items():
        call = f"`{name}`"
        if inspect.isfunction(thing):
            arguments = [a for a in inspect.signature(thing).parameters if a != "self"]
            word = "async " if inspect.iscoroutinefunction(thing) else ""
            call = f"`{word}{name}({', '.join(arguments)})`"
        assert call in section


def test_every_attribute_of_the_connector_class_is_on_the_page() -> None:
    section = TEXT.split("## The connector class\n", 1)[1].split("\n### ", 1)[0]

    for name in Connector.__annotations__:
        assert f"| `{name}` |" in section
    assert "| `policy(instance, settings)` |" in section
