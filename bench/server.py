"""A Jira that is never the bottleneck: issues are rendered once, requests answered from memory.

python -m bench.server COUNT      prints its port, serves until its input ends
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

from bench.issues import issue

PAGE = 100
FIELDS = [
    {"id": "customfield_10016", "name": "Story Points", "custom": True},
    {"id": "customfield_10021", "name": "Flagged", "custom": True},
]
ME = {"accountId": "bench", "displayName": "Bench", "timeZone": "Etc/UTC", "active": True}


class Jira:
    """The answers to the requests of a sync."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.issues = [issue(number) for number in range(1, count + 1)]
        self.pages = [self.page(at, self.issues[at : at + PAGE]) for at in range(0, count, PAGE)]

    def page(self, at: int, issues: list[bytes]) -> bytes:
        after = at + PAGE
        tail = b'],"isLast":true}'
        if after < self.count:
            tail = b'],"nextPageToken":"%d","isLast":false}' % after
        return b'{"issues":[' + b",".join(issues) + tail

    def answer(self, path: bytes, body: bytes) -> bytes:
        if path.endswith(b"/search/jql"):
            asked = json.loads(body)
            if asked["fields"] == ["id"]:
                return self.ids(int(asked.get("nextPageToken", 0)))
            since = re.search(r"updated >= (\d+)", asked["jql"])
            if since is not None and int(since[1]) > 0:
                return b'{"issues":[]}'
            return self.pages[int(asked.get("nextPageToken", 0)) // PAGE]
        if path.endswith(b"/issue/bulkfetch"):
            wanted = json.loads(body)["issueIdsOrKeys"]
            found = (self.issues[int(id_) - 10_001] for id_ in wanted)
            return b'{"issues":[' + b",".join(found) + b'],"issueErrors":[]}'
        return json.dumps(ME if path.endswith(b"/myself") else FIELDS).encode()

    def ids(self, at: int) -> bytes:
        until = min(at + 5000, self.count)
        body: dict[str, object] = {
            "issues": [{"id": str(10_001 + n), "key": f"PAY-{n + 1}"} for n in range(at, until)]
        }
        if until < self.count:
            body["nextPageToken"] = str(until)
        return json.dumps(body).encode()


async def serve(jira: Jira) -> None:
    """Answer on an ephemeral loopback port until standard input ends."""

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            path = head.split(b" ", 2)[1].split(b"?")[0]
            size = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            body = jira.answer(path, await reader.readexactly(size))
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                % len(body)
            )
            writer.write(body)
            await writer.drain()

    async def quiet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await connection(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(quiet, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(Jira(int(sys.argv[1]))))
