"""A company whose every secret is a canary, with vendors that repeat whatever they are sent."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
import structlog
from click.testing import CliRunner

import opsync.http.pool
from opsync.cli.root import run
from opsync.engine.session import open_session
from opsync.runtime import Runtime
from opsync.sandbox.amplitude import AmplitudeProject
from opsync.sandbox.mixpanel import MixpanelProject
from opsync.sandbox.usage import Behaviour, History
from tests.security import acme
from tests.support.analytics import EVENT, MeasuredWorld
from tests.support.analytics import HOSTS as ANALYTICS
from tests.support.canaries import inline
from tests.support.world import HOSTS, Net

SEEN = 10
"""So many characters of a canary in a row are a leak, also where the rest was cut off."""
HOOK_HOST, ALIVE_HOST = "hooks.example", "alive.example"


@dataclass(frozen=True)
class Canary:
    """A secret: its value, and the hosts that may be sent it."""

    name: str
    value: str
    homes: tuple[str, ...] = ()

    @property
    def core(self) -> str:
        """The part that no encoding of a URL, of JSON or of HTML changes."""
        return next(part for part in self.value.split("_") if part.startswith("Kq"))

    def forms(self) -> set[str]:
        """What of it may stand nowhere: a piece of it as it is, and what Base64 makes of it,
        wherever in a longer text it begins."""
        found = {self.core[:SEEN], self.core.encode().hex()[: 2 * SEEN]}
        for before in range(3):
            coded = base64.b64encode(b"\0" * before + self.core.encode()).decode()
            found.add(coded[4 if before else 0 : -4])
        return found

    def is_in(self, text: str) -> bool:
        return any(form in text for form in self.forms())


def _core(number: int) -> str:
    return f"Kq{number:02}Zw7Xv3Jb9Tf5Ld1Nh8Rm4Pc6Gs2Y"


JIRA = Canary("Jira's token", f'{_core(1)}_/+"&=%', (HOSTS["jira-main"],))
LINEAR = Canary("Linear's key", f"lin_api_{_core(2)}_/+&=%", (HOSTS["linear"],))
NOTION = Canary("Notion's token", f"ntn_{_core(3)}", (HOSTS["notion"],))
POSTHOG = Canary("PostHog's key", f"phx_{_core(4)}", ANALYTICS["posthog"])
API_KEY = Canary("Amplitude's API key", _core(5), ANALYTICS["amplitude"])
SECRET_KEY = Canary("Amplitude's secret key", f"{_core(6)}_\"'<&=", ANALYTICS["amplitude"])
MANAGEMENT = Canary("Amplitude's management key", _core(7), ANALYTICS["amplitude"])
MIXPANEL = Canary("Mixpanel's secret", f"{_core(8)}_ü/", ANALYTICS["mixpanel"])
PLUGIN = Canary("a plugin's key in a header", f"{_core(9)}_<&'", (acme.HOST,))
HOOK = Canary("the path of the webhook", f"T0_{_core(10)}", (HOOK_HOST,))
ALIVE = Canary("the query of the watchdog", _core(11), (ALIVE_HOST,))
COOKIE = Canary("a cookie that a vendor set", _core(12))
PASSWORD = Canary("a password in an address", _core(13))
QUERY = Canary("a token in an address's query", _core(14))
DECIDES = Canary("the service's token", f"{_core(15)}_/+")
LOOKS = Canary("the service's token to look", _core(16))
SIGNED_IN = Canary("a person's password", f'{_core(17)}_"ü:')
DIGEST = Canary("the path of the digest's webhook", f"T1_{_core(18)}", (HOOK_HOST,))
JIRA_HOOK = Canary("the secret of Jira's signals", f"{_core(19)}_<&'", (HOSTS["jira-main"],))
LINEAR_HOOK = Canary("the secret of Linear's signals", _core(20), (HOSTS["linear"],))
NOTION_HOOK = Canary("the secret before of Notion's signals", f"secret_{_core(21)}")
CANARIES = (
    *(JIRA, LINEAR, NOTION, POSTHOG, API_KEY, SECRET_KEY, MANAGEMENT, MIXPANEL, PLUGIN),
    *(HOOK, ALIVE, DECIDES, LOOKS, SIGNED_IN, COOKIE, PASSWORD, QUERY, DIGEST),
    *(JIRA_HOOK, LINEAR_HOOK, NOTION_HOOK),
)

HOW = ("refused", "sign-in", "missing", "busy", "page", "elsewhere", "unreachable", "shapeless")
"""The ways in which every vendor answers badly, all of them quoting the request."""
_STATUS = {"refused": 400, "sign-in": 401, "missing": 404, "busy": 500}


class Parrots(Net):
    """The vendors; while `how` is set they answer badly, and repeat what they were sent."""

    def __init__(self) -> None:
        super().__init__()
        self.how = ""
        self.asked = 0
        self.sent: list[tuple[str, str]] = []
        """Each request: its host, and all of it."""
        self.watch: Callable[[], None] = lambda: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.asked += 1
        body = request.content.decode("utf-8", "replace")
        self.sent.append((request.url.host, f"{request.url} {request.headers.raw!r} {body}"))
        self.watch()
        cookie = f"session={COOKIE.value}; Path=/"
        if self.how and request.url.host in self.hosts:
            return self._badly(request, {"set-cookie": cookie})
        answer = await super().handle_async_request(request)
        answer.headers["set-cookie"] = cookie
        return answer

    def _badly(self, request: httpx.Request, headers: dict[str, str]) -> httpx.Response:
        # Now this, now that comes first, and is cut here or there.
        said = f"{'x' * (self.asked * 37 % 190)} {_echo(request, self.asked)}"
        if self.how == "unreachable":
            raise httpx.ConnectError(f"proxy failed: {said}", request=request)
        if self.how == "page":
            return httpx.Response(200, headers=headers, html=f"<html><b>{said}</b></html>")
        if self.how == "elsewhere":
            headers["location"] = (
                f"https://user:{PASSWORD.value}@evil.example/{quote(QUERY.value)}?t={QUERY.value}"
            )
            return httpx.Response(302, headers=headers, text=said)
        if self.how == "shapeless":
            return httpx.Response(200, headers=headers, json={said: said, "data": [said]})
        return httpx.Response(_STATUS[self.how], headers=headers, json=_envelope(request, said))


def _echo(request: httpx.Request, first: int = 0) -> str:
    """Everything secret in a request, in all the ways in which an answer may quote it."""
    parts = [f"see https://u:{PASSWORD.value}@x.example/?token={QUERY.value}", str(request.url)]
    for name, value in request.headers.items():
        parts += [value, quote(value), quote_plus(value), json.dumps({name: value}), repr(value)]
        scheme, _, rest = value.partition(" ")
        if scheme == "Basic":
            pair = base64.b64decode(rest).decode()
            secret = pair.partition(":")[2]
            parts += [pair, quote(pair, safe=""), secret, quote_plus(secret), repr(secret)]
            parts += [json.dumps(secret), base64.b64encode(secret.encode()).decode()]
    first %= len(parts)
    return " | ".join(parts[first:] + parts[:first])


def _envelope(request: httpx.Request, said: str) -> dict[str, Any]:
    """An error in the shape of every vendor at once."""
    linear = request.url.host == HOSTS["linear"]
    told = {"message": said, "extensions": {"type": "other", "userPresentableMessage": said}}
    return {
        "object": "error",
        "code": "validation_error",
        "type": "validation_error",
        "message": said,
        "detail": said,
        "error": said,
        "errorMessages": [said],
        "errors": [told] if linear else {"jql": said},
    }


@dataclass
class Vault(MeasuredWorld):
    """The small company with all six tools, a plugin's tool, a webhook and a watchdog."""

    net: Parrots = field(default_factory=Parrots)

    def __post_init__(self) -> None:
        super().__post_init__()
        now = self.clock.now
        self.jira._token = JIRA.value
        self.linear.token, self.notion.token = LINEAR.value, NOTION.value
        self.measured.token = POSTHOG.value  # type: ignore[attr-defined]
        history = History(now=now)
        history.events = {EVENT: Behaviour(312, 9_000, times=1)}
        amplitude = AmplitudeProject(
            history=history,
            now=now,
            limit_factor=10,
            api_key=API_KEY.value,
            secret_key=SECRET_KEY.value,
            management_key=MANAGEMENT.value,
        )
        mixpanel = MixpanelProject(history=history, now=now, limit_factor=10, secret=MIXPANEL.value)
        for name, vendor in (("amplitude", amplitude), ("mixpanel", mixpanel)):
            self.vendors[name] = vendor
            for host in ANALYTICS[name]:
                self.net.hosts[host] = httpx.ASGITransport(vendor.app)
        self.unreadable = True
        self.net.hosts[acme.HOST] = httpx.MockTransport(
            lambda request: acme.answer("unreadable" if self.unreadable else "Artemis")
        )
        self.net.before[HOOK_HOST] = self._alerted
        self.net.before[ALIVE_HOST] = self._alerted
        self.alerts: list[str] = []
        self._configure()

    def _alerted(self, request: httpx.Request) -> httpx.Response:
        self.alerts.append(request.content.decode() or "alive")
        return httpx.Response(500 if self.net.how else 200, text=f"at {_echo(request)}")

    def _configure(self) -> None:
        blocks = self.raw["instances"]
        for block in blocks.values():
            block.pop("token", None)
        blocks["linear"]["token"] = LINEAR.value
        blocks["amplitude"] = {"connector": "amplitude", "project": "123456"}
        user = "opsync.000000.mp-service-account"
        blocks["mixpanel"] = {"connector": "mixpanel", "project": 3141592, "username": user}
        blocks["acme"] = {"connector": "acme"}
        self.raw["plugins_dir"] = "plugins"
        self.raw["secrets_dir"] = "secrets"
        self.raw["watch"] = {"fresh_within": "30m"}
        self.raw["rollup"][0]["metric"] += [
            {"instance": name, "event_from": "Event"} for name in ("amplitude", "mixpanel")
        ]
        plugins, secrets = self.folder / "plugins", self.folder / "secrets"
        plugins.mkdir()
        (plugins / "acme.py").write_text(
            "from tests.security.acme import register_connectors\n", encoding="utf-8"
        )
        secrets.mkdir(mode=0o700)
        for name, canary in {
            "opsync_jira_main__token": JIRA,
            "OPSYNC_AMPLITUDE__SECRET_KEY": SECRET_KEY,
            "OPSYNC_MIXPANEL__SECRET": MIXPANEL,
            "opsync_service__access__read_token": LOOKS,
            "opsync_service__access__users__ana__password": SIGNED_IN,
            "OPSYNC_LINEAR__WEBHOOK_SECRET": LINEAR_HOOK,
        }.items():
            (secrets / name).write_text(f"{canary.value}\n", encoding="utf-8")
        lines = [f"{key} = {inline(value)}" for key, value in self.raw.items()]
        (self.folder / "opsync.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def opsync(self, *args: str) -> str:
        """Run the command line; all that it printed, on either stream."""
        self.clock.advance(60)
        with pytest.MonkeyPatch.context() as patch, CliRunner().isolation() as streams:
            if args[0] == "init":  # It begins anew, with three tools and their tokens.
                for name in ENVIRON.keys() - set(OF_INIT):
                    patch.delenv(name)
                for name, canary in OF_INIT.items():
                    patch.setenv(name, canary.value)
            run(args)
            return streams[2].getvalue().decode()


ENVIRON = {
    "OPSYNC_NOTION__TOKEN": NOTION.value,
    "OPSYNC_POSTHOG__TOKEN": POSTHOG.value,
    "OPSYNC_AMPLITUDE__API_KEY": API_KEY.value,
    "OPSYNC_AMPLITUDE__MANAGEMENT_KEY": MANAGEMENT.value,
    "OPSYNC_ACME__KEY": PLUGIN.value,
    "OPSYNC_SERVICE__ACCESS__TOKEN": DECIDES.value,
    "OPSYNC_JIRA_MAIN__WEBHOOK_SECRET": JIRA_HOOK.value,
    "OPSYNC_NOTION__WEBHOOK_SECRET_BEFORE": NOTION_HOOK.value,
    "OPSYNC_ALERTS__WEBHOOK": f"https://{HOOK_HOST}/services/{HOOK.value}",
    "OPSYNC_SERVICE__DIGEST__SLACK_WEBHOOK": f"https://{HOOK_HOST}/services/{DIGEST.value}",
    "OPSYNC_ALERTS__ALIVE": f"https://{ALIVE_HOST}/ping?sign={ALIVE.value}",
}


OF_INIT = {
    "OPSYNC_JIRA_MAIN__TOKEN": JIRA,
    "OPSYNC_LINEAR__TOKEN": LINEAR,
    "OPSYNC_NOTION__TOKEN": NOTION,
}


@contextmanager
def vault(folder: Path) -> Iterator[Vault]:
    """The company with the command line on it, and no network but the simulators."""
    made = Vault(folder)
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in ENVIRON.items():
            patch.setenv(name, value)
        simulated = partial(open_session, transport=made.net, runtime=Runtime(clock=made.clock))
        for module in (
            "onepass",
            "doctor",
            "statuses",
            "asking",
            "undo",
            "digest",
            "webhooks",
        ):
            patch.setattr(f"opsync.cli.{module}.open_session", simulated)
        pool = partial(opsync.http.pool.Pool, transport=made.net)
        patch.setattr("opsync.engine.onboarding.Pool", pool)
        patch.setattr(opsync.http.pool, "Pool", pool)
        try:
            yield made
        finally:
            structlog.reset_defaults()
            logger.handlers = handlers
            logger.setLevel(level)
