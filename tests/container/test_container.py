"""The container image: what the Dockerfile promises, and its steps run without an engine."""

from __future__ import annotations

import json
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsync import __version__
from tests.container.dockerfile import Stage, allowed, parse
from tests.container.run_steps import Image, build

ROOT = Path(__file__).resolve().parents[2]
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    return parse((ROOT / "Dockerfile").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    # Not pytest's own folder: another user must be able to walk into this one.
    folder = Path(tempfile.mkdtemp(prefix="opsync-image-"))
    folder.chmod(0o755)
    try:
        built = build(ROOT, folder)
        if built is None:
            pytest.skip("no Python here that the image's user could run")
        yield built
    finally:
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(stat.S_IRWXU)
        shutil.rmtree(folder)


def test_both_stages_start_from_the_same_slim_base(stages: list[Stage]) -> None:
    assert [stage.base for stage in stages] == ["python:3.12-slim"] * 2


def test_every_install_is_pinned_by_hash_or_offline(stages: list[Stage]) -> None:
    installs = [
        step.rest
        for stage in stages
        for step in stage.instructions
        if step.name == "RUN" and "pip install" in step.rest
    ]
    assert installs
    for line in installs:
        assert "--require-hashes" in line or "--no-index" in line, line


def test_the_image_runs_as_a_user_without_a_name_or_rights(stages: list[Stage]) -> None:
    user = stages[-1].last("USER")
    assert user is not None
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user.rest)


def test_the_last_stage_takes_nothing_but_the_environment_from_the_build(
    stages: list[Stage],
) -> None:
    copies = [step.rest for step in stages[-1].instructions if step.name == "COPY"]
    assert copies == ["--from=build /opt/venv /opt/venv"]


def test_all_that_is_written_goes_to_the_one_volume(stages: list[Stage]) -> None:
    last = stages[-1]
    volume = last.last("VOLUME")
    assert volume is not None
    assert volume.words() == ["/data"]
    env = last.env()
    assert {env["HOME"], env["TMPDIR"], str(Path(env["OPSYNC_CONFIG"]).parent)} == {"/data"}


def test_it_stops_on_the_usual_signal_and_tells_its_health(stages: list[Stage]) -> None:
    signal, health = stages[-1].last("STOPSIGNAL"), stages[-1].last("HEALTHCHECK")
    assert signal is not None
    assert signal.rest == "SIGTERM"
    assert health is not None
    assert health.rest.endswith('CMD ["python", "-m", "opsync.service.probe"]')


@pytest.mark.parametrize("path", ["opsync.toml", ".git", ".venv", "tests", "opsync.db", ".env"])
def test_configuration_store_and_history_stay_out_of_the_build(path: str) -> None:
    assert not allowed(path, IGNORE)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_steps_give_an_opsync_that_runs_without_rights(image: Image) -> None:
    done = image.start("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert __version__ in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_can_write_its_volume_and_nothing_else(image: Image) -> None:
    script = "echo x >/data/own && ! echo x >/opt/other && ! echo x >/opt/venv/other"
    done = image.run(["sh", "-c", image.inside(script)])
    assert done.returncode == 0, done.stderr
    assert (image.volume / "own").is_file()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_its_default_command_asks_for_a_configuration(image: Image) -> None:
    done = image.start()
    assert done.returncode == 2, done.stderr
    assert "opsync.toml" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_its_health_check_runs_in_it_and_says_what_it_asked(image: Image) -> None:
    health = image.stage.last("HEALTHCHECK")
    assert health is not None
    done = image.run(json.loads(health.rest.partition("CMD ")[2]))
    assert done.returncode == 1
    assert done.stderr.startswith("opsync does not answer at 127.0.0.1:8484: ")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_runs_in_it_and_its_second_run_writes_nothing(image: Image) -> None:
    done = image.start("demo", "--json")
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)["passes"]
    assert first["applied"] > 0
    assert first["failed"] == 0
    assert (second["planned"], second["applied"], second["write_requests"]) == (0, 0, 0)
