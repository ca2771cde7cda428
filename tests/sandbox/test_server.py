"""The sandbox over a real socket, and its control interface."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from opsync.sandbox.control import Control
from opsync.sandbox.jira import JiraSite
from opsync.sandbox.server import Mounts, SandboxServer

AUTH = ("ana@harbor.example", "sandbox-jira-token")


@pytest.fixture
def control(site: JiraSite) -> httpx.AsyncClient:
    app = Mounts({"_sandbox": Control({"jira": site}).app, "jira": site.app})
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1")


@pytest.mark.slow
def test_it_serves_each_vendor_below_its_name_and_stops_at_once(
    site: JiraSite, capfd: pytest.CaptureFixture[str]
) -> None:
    before = set(threading.enumerate())
    with SandboxServer({"jira": site, "other": JiraSite(deployment="Server")}) as server:
        assert server.port > 0
        with httpx.Client(base_url=server.url) as http:
            mine = http.get("/jira/rest/api/3/myself", auth=AUTH)
            assert mine.json()["displayName"] == "Ana Reyes"
            bearer = {"Authorization": "Bearer sandbox-jira-token"}
            info = http.get("/other/rest/api/2/serverInfo", headers=bearer).json()
            assert info["deploymentType"] == "Server"
            for path in ("/", "/nobody/rest/api/3/myself", "/jira"):
                assert http.get(path, auth=AUTH).status_code == 404
            moved = http.post("/_sandbox/move", json={"item": "PAY-118", "to": "done"})
            assert moved.status_code == 200, moved.text
            assert http.get("/_sandbox/state").json()["vendors"]["jira"]["counts"]["issues"] == 5
            started = time.monotonic()
    assert time.monotonic() - started < 2
    assert set(threading.enumerate()) == before
    assert site.exchanges[0].path == "/rest/api/3/myself"
    assert site.issue("PAY-118").status.category == "done"
    assert capfd.readouterr() == ("", "")


def test_it_starts_again_on_the_same_port_and_tells_when_that_is_taken(site: JiraSite) -> None:
    server = SandboxServer({"jira": site})
    server.start()
    first = server.url
    with pytest.raises(RuntimeError, match="already"):
        server.start()
    with pytest.raises(OSError, match="in use"):
        SandboxServer({"jira": site}, port=server.port).start()
    server.stop()
    server.stop()
    with server:
        assert server.url == first
        assert httpx.get(f"{first}/jira/rest/api/3/myself", auth=AUTH).status_code == 200


def test_it_serves_until_it_is_stopped(site: JiraSite) -> None:
    server = SandboxServer({"jira": site})
    ready: list[str] = []
    thread = threading.Thread(target=server.serve_forever, args=(ready.append,))
    thread.start()
    deadline = time.monotonic() + 5
    while not ready and time.monotonic() < deadline:
        time.sleep(0.01)
    assert httpx.get(f"{ready[0]}/_sandbox/state").status_code == 200
    server.stop()
    thread.join(5)
    assert not thread.is_alive()


async def test_the_path_is_handed_on_without_the_prefix() -> None:
    seen: dict[str, object] = {}

    async def inner(scope: dict[str, object], _receive: object, _send: object) -> None:
        seen.update(scope)

    scope = {"type": "http", "path": "/jira/a b", "raw_path": b"/jira/a%20b"}
    await Mounts({"jira": inner})(scope, None, None)  # type: ignore[arg-type, dict-item] # never called
    assert (seen["path"], seen["raw_path"], seen["vendor_path"]) == ("/a b", b"/a%20b", "/a b")


async def test_the_state_tells_counts_faults_and_requests(
    control: httpx.AsyncClient, site: JiraSite
) -> None:
    site.faults.deny.add("10001")
    await control.get("/jira/rest/api/3/myself", auth=AUTH)
    shown = (await control.get("/_sandbox/state")).json()["vendors"]["jira"]
    assert shown["counts"] == {"projects": 2, "issues": 5, "remote_links": 0}
    assert (shown["read_requests"], shown["write_requests"], shown["over_budget"]) == (1, 0, 0)
    assert shown["faults"]["deny"] == ["10001"]


async def test_a_move_and_an_edit_say_what_happened(
    control: httpx.AsyncClient, site: JiraSite
) -> None:
    moved = await control.post("/_sandbox/move", json={"item": "PAY-118", "to": "done"})
    assert moved.json() == {
        "vendor": "jira",
        "did": "Jira: PAY-118 Card form moved from In Progress to Done.",
    }
    edit = {"item": "Card form", "field": "title", "value": "Card sheet"}
    assert (await control.post("/_sandbox/edit", json=edit)).status_code == 200
    assert site.issue("PAY-118").summary == "Card sheet"


async def test_an_outage_and_a_fault_are_switched(
    control: httpx.AsyncClient, site: JiraSite
) -> None:
    outage = {"vendor": "jira", "on": True, "for_s": 60}
    assert (await control.post("/_sandbox/outage", json=outage)).status_code == 200
    assert (await control.get("/jira/rest/api/3/myself", auth=AUTH)).status_code == 503
    await control.post("/_sandbox/outage", json={"vendor": "jira", "on": False})
    assert (await control.get("/jira/rest/api/3/myself", auth=AUTH)).status_code == 200
    fault = {"vendor": "jira", "rate_limit_next": 2, "deny": ["7"]}
    assert (await control.post("/_sandbox/fault", json=fault)).status_code == 200
    assert (site.faults.rate_limit_next, site.faults.deny) == (2, {"7"})


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("move", {"item": "PAY-999", "to": "done"}, 404, "no vendor knows"),
        ("move", {"item": "PAY-118", "to": "limbo"}, 400, "no status"),
        ("move", {"item": "PAY-118"}, 400, "to is missing"),
        ("move", {"item": "o", "to": "done"}, 409, "in their title"),
        ("edit", {"item": "PAY-118", "field": "colour", "value": 1}, 400, "no such field"),
        ("outage", {"vendor": "asana", "on": True}, 404, "there are jira"),
        ("outage", {"vendor": "jira", "on": "yes"}, 400, "true or false"),
        ("outage", {"vendor": "jira", "on": True, "for_s": "long"}, 400, "seconds"),
        ("fault", {"vendor": "jira", "gremlins": True}, 400, "no fault"),
        ("fault", {"vendor": "jira", "html": 1}, 400, "true or false"),
        ("fault", {"vendor": "jira", "cut_next": True}, 400, "whole number"),
        ("fault", {"vendor": "jira", "deny": "7"}, 400, "list of ids"),
        ("fault", ["jira"], 400, "JSON object"),
    ],
)
async def test_a_wrong_request_says_what_is_wrong(
    control: httpx.AsyncClient, path: str, body: object, status: int, says: str
) -> None:
    answer = await control.post(f"/_sandbox/{path}", json=body)
    assert answer.status_code == status
    assert says in answer.json()["error"]


async def test_only_this_machine_controls_it_and_no_web_page(
    control: httpx.AsyncClient, site: JiraSite
) -> None:
    move = '{"item": "PAY-118", "to": "done"}'
    form = await control.post("/_sandbox/move", content=move)
    assert form.status_code == 400
    rebound = await control.get("/_sandbox/state", headers={"Host": "evil.example"})
    assert rebound.status_code == 403
    far = httpx.ASGITransport(
        app=Mounts({"_sandbox": Control({"jira": site}).app}), client=("10.0.0.7", 9)
    )
    async with httpx.AsyncClient(transport=far, base_url="http://127.0.0.1") as stranger:
        assert (await stranger.get("/_sandbox/state")).status_code == 403
    assert site.issue("PAY-118").status.category == "indeterminate"
