"""What the names of branches and pull requests on an issue may mean."""

from __future__ import annotations

from typing import Any

import pytest

from opsync.model import Text
from opsync.sandbox.linear import LinearWorkspace
from tests.plugins.linear.conftest import Connect
from tests.support.connector import read

PULL = "https://github.example/harbor/web/pull/77"


async def hints_of(workspace: LinearWorkspace, linear: Any) -> list[tuple[str, str]]:
    texts: tuple[Text, ...] = (await read(linear))["GRO-1"].texts
    return [(text.field, text.text) for text in texts if text.part == "hint"]


@pytest.mark.parametrize(
    ("title", "metadata", "hints"),
    [
        ("feat: tokens (pay-118)", {}, [("attachment", "PAY-118")]),
        ("feat: tokens", {"branch": "ana/pay-118_mob-20"}, [("branch", "PAY-118 MOB-20")]),
        ("Tokens", {"branch": "fix-PAY-118-tokens", "number": 77}, [("branch", "PAY-118")]),
        ("Tokens", {"branch": 77}, []),
        ("feat: xpay-118y, pay-0, 20-30", {"branch": "main"}, []),
    ],
)
async def test_keys_are_read_in_any_case(
    workspace: LinearWorkspace,
    connect: Connect,
    title: str,
    metadata: dict[str, object],
    hints: list[tuple[str, str]],
) -> None:
    issue = workspace.add_issue("GRO", "Card form")
    workspace.attach(issue, title, PULL, metadata=metadata)
    assert await hints_of(workspace, connect(workspace)) == hints


async def test_an_address_that_has_the_key_already_needs_no_hint(
    workspace: LinearWorkspace, connect: Connect
) -> None:
    url = "https://harbor.atlassian.net/browse/PAY-118"
    workspace.add_issue("GRO", "Card form", attachments=[("PAY-118: Tokenise cards", url)])
    assert await hints_of(workspace, connect(workspace)) == []
