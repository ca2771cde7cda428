"""What the service shows of change signals while something is wrong with them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from opsync.contract.webhooks import Signal
from opsync.engine.webhooks import note_delivery
from opsync.hookfacts import KNOWN, HookFacts
from opsync.service.serving import Process
from opsync.steps.shared import OWN
from tests.service.beside import Beside, beside


def _state(process: Process, name: str) -> str | None:
    signals = process.surface.state()[name].signals
    return None if signals is None else signals.state


def _learn(shop: Beside, facts: HookFacts) -> None:
    """The service looked after its webhooks, and found this."""

    async def keep() -> None:
        await shop.process.surface.store.put_kept(OWN, {KNOWN + "linear": facts.plain()})
        await shop.process.surface.look_at_signals()

    shop.do(keep())


def test_signals_count_as_on_only_while_the_tool_has_its_webhook(tmp_path: Path) -> None:
    with beside(tmp_path) as shop, shop.serving() as process:
        assert _state(process, "linear") == "off"
        assert "off: changes are found by reading" in shop.see("/connections").text
        process.surface._secrets.rotate("linear")
        assert _state(process, "linear") == "on"
        now = process.surface.now()
        for facts, state in (
            (HookFacts(off=True, since=now), "off"),
            (HookFacts(gone=True, since=now), "off"),
            (HookFacts(expires_at=now - timedelta(days=1)), "expired"),
            (HookFacts(expires_at=now + timedelta(days=1)), "on"),
        ):
            _learn(shop, facts)
            assert _state(process, "linear") == state


def test_signals_wait_to_be_verified_until_the_first_is_signed(tmp_path: Path) -> None:
    with beside(tmp_path) as shop, shop.serving() as process:
        secrets = process.surface._secrets
        secrets.tell("notion", "secret_of_notion")
        assert _state(process, "notion") == "unverified"
        assert "wait to be verified: see opsync webhooks list" in shop.see("/connections").text
        secrets.prove("notion", "secret_of_notion")
        assert _state(process, "notion") == "on"
        secrets.tell("notion", "secret_of_another")
        assert _state(process, "notion") == "on", "the one before counts"


def test_signals_are_silent_once_reads_found_for_an_hour_what_they_did_not_tell(
    tmp_path: Path,
) -> None:
    """Trouble 4: signals that are lost are missed."""
    with beside(tmp_path) as shop, shop.serving() as process:
        surface = process.surface

        def found_by_reading(name: str = "linear") -> str | None:
            surface.memory.taken(name)
            surface.memory.was_read(name, untold=True)
            shop.do(surface.look_at_signals())
            return _state(process, name)

        assert found_by_reading() == "off"
        surface._secrets.rotate("linear")
        shop.do(surface.look_at_signals())
        assert [found_by_reading() for _ in range(3)] == ["on"] * 3, "not for so long"
        shop.world.clock.advance(3600)
        shop.do(surface.look_at_signals())
        assert _state(process, "linear") == "silent"
        page = shop.see("/connections").text
        assert "silent: 3 reads found changes that none told" in page
        assert found_by_reading() == "silent"
        assert "silent: 4 reads found" in shop.see("/connections").text
        assert any(one.kind == "webhook silent" for one in shop.do(surface.alarms()))

        surface.hear("linear", Signal())
        assert _state(process, "linear") == "on"
        shop.do(note_delivery(surface.store, "linear", surface.now()))
        shop.do(surface.look_at_signals())
        assert _state(process, "linear") == "on"
        assert not any(one.kind == "webhook silent" for one in shop.do(surface.alarms()))


def test_secrets_that_cannot_be_read_are_told_and_end_nothing_else(tmp_path: Path) -> None:
    with beside(tmp_path) as shop:
        secrets = tmp_path / "opsync.db.hooks"
        secrets.write_text("{half")
        with shop.serving() as process:
            assert _state(process, "linear") == "off"
            assert shop.see("/connections").status_code == 200
            assert any("opsync.db.hooks is damaged" in reason for reason in shop.reasons())
            assert shop.see("/readyz").status_code == 503
            secrets.unlink()
            assert not any("damaged" in reason for reason in shop.reasons())


@pytest.mark.slow
def test_who_sends_behind_a_proxy_is_known_after_a_reload(tmp_path: Path) -> None:
    with beside(tmp_path) as shop, shop.serving() as process:

        def forged(times: int, source: str) -> list[int]:
            header = {"X-Forwarded-For": source}
            return [
                httpx.post(f"{shop.url}/hooks/none", headers=header, trust_env=False).status_code
                for _ in range(times)
            ]

        shop.world.raw["service"]["access"] = {
            "proxy_header": "X-Forwarded-User",
            "proxy_from": ["127.0.0.1"],
        }
        shop.configure()
        shop.do(process.reload())
        assert set(forged(60, "192.0.2.1")) == {404, 429}
        assert forged(1, "192.0.2.2") == [404]
