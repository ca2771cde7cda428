"""No secret comes out of the running service: on no page, in no metric, in no line of its log."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from opsync.config import find, read
from opsync.log import configure
from opsync.redact import Redactor
from opsync.runtime import Runtime
from opsync.service.serving import running
from tests.security.vault import CANARIES, DECIDES, vault
from tests.service.beside import Going

PATHS = (
    *("/", "/plan", "/links", "/journal", "/connections", "/readyz", "/healthz", "/metrics"),
    *("/export/initiatives.csv", "/export/initiatives.json", "/export/digest.md"),
    *("/nothing", "/initiatives/x:y:z"),
)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["refused", "sign-in"])
async def test_no_page_and_no_log_shows_a_secret(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPSYNC_SERVICE__LISTEN", "127.0.0.1:0")
    with vault(tmp_path) as made:
        made.unreadable = False
        await asyncio.to_thread(made.opsync, "sync")
        made.net.how = how
        redactor = Redactor()
        config = read(find(None))
        configure(json=True, level="debug", secrets=redactor)
        async with running(
            config,
            lambda: read(find(None)),
            redactor=redactor,
            local="cleo",
            runtime=Runtime(clock=Going()),
            transport=made.net,
        ) as process:
            schedule = process.service.schedule
            for _ in range(500):
                if any(one.trouble for one in schedule.turns.values()):
                    break
                await asyncio.sleep(0.02)
            assert any(one.trouble for one in schedule.turns.values())
            assert process.surface.address is not None
            async with httpx.AsyncClient(
                base_url=process.surface.address.url,
                headers={"authorization": f"Bearer {DECIDES.value}"},
                trust_env=False,
            ) as client:
                told = {path: (await client.get(path)).text for path in PATHS}
        told["log"] = capsys.readouterr().err

    assert "service.started" in told["log"]
    assert "***" in told["log"], "what the tools said of secrets was told"
    assert "Jira" in told["/connections"]
    shown = {(name, one.name) for name, text in told.items() for one in CANARIES if one.is_in(text)}
    assert shown == set()
