"""What is sent along: read within bounds, whatever it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsync.service.web.actor import Actor, Role
from opsync.service.web.forms import (
    BODY_LIMIT,
    FIELDS_LIMIT,
    Form,
    FormTokens,
    Unfit,
    body_of,
    form_of,
)
from tests.service.web.pages import BOTH_TOKENS, asking, bearer, guarded
from tests.support.clock import FakeClock

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def form(body: bytes, kind: str = FORM, **more: str) -> list[tuple[str, str]]:
    headers = [(b"content-type", kind.encode())] if kind else []
    headers += [(name.replace("_", "-").encode(), text.encode()) for name, text in more.items()]
    return list(form_of({"headers": headers}, body)._pairs)


def unfit(body: bytes, kind: str = FORM, **more: str) -> int:
    with pytest.raises(Unfit) as caught:
        form(body, kind, **more)
    assert caught.value.cause
    return caught.value.status


def test_a_form_is_its_fields_in_their_order() -> None:
    body = b"what=12&what=13&note=a+b%20%C3%A4%26%3D&empty=&csrf=x"
    pairs = form(body, f"{FORM}; charset=utf-8")
    assert pairs == [
        ("what", "12"),
        ("what", "13"),
        ("note", "a b ä&="),
        ("empty", ""),
        ("csrf", "x"),
    ]
    made = Form(pairs)
    assert (made.get("what"), made.get("empty", "x"), made.get("none", "x")) == ("12", "", "x")
    assert (made.all("what"), made.all("none"), len(made)) == (("12", "13"), (), 5)
    assert form(b"") == []


def test_a_flat_object_is_the_same() -> None:
    body = '{"what": ["12", "13"], "note": "ä", "none": []}'.encode()
    assert form(body, JSON) == [("what", "12"), ("what", "13"), ("note", "ä")]
    assert form(body, "Application/JSON; charset=utf-8") == form(body, JSON)


@pytest.mark.parametrize(
    "body",
    [
        b"what",
        b"what=1&&x=2",
        b"what=%ff",
        b"what=\xff",
        b"what=%00",
        b"%00=1",
        b"=".join([b"a"] * 3) + b"&b",
        b"&".join([b"a=1"] * (FIELDS_LIMIT + 1)),
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    assert unfit(body) == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"a"',
        b'{"a": 1}',
        b'{"a": null}',
        b'{"a": {"b": "c"}}',
        b'{"a": [["b"]]}',
        b'{"a": "\xff"}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"a": "b"} {}',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"a": [' + b"[" * 60_000,
    ],
)
def test_what_is_no_flat_object_is_refused(body: bytes) -> None:
    assert unfit(body, JSON) == 400


def test_other_kinds_are_refused() -> None:
    for kind in (
        "",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
        "json",
        ";",
    ):
        assert unfit(b"what=1", kind) == 415
    assert form(b"", "") == form(b"", "text/plain") == []
    assert unfit(b"what=1", content_encoding="gzip") == 415
    assert unfit(b"what=1", content_type="text/plain") == 415


@given(
    st.binary(max_size=400),
    st.sampled_from([FORM, JSON, "", "text/html", "a/b;c", "application/json;charset=latin-1"]),
)
def test_any_bytes_are_fields_or_refused(body: bytes, kind: str) -> None:
    try:
        pairs = form(body, kind)
    except Unfit:
        assert unfit(body, kind) in (400, 415)
    else:
        assert not [pair for pair in pairs if "\0" in "".join(pair)]


async def parts(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


async def test_a_body_of_64_kib_is_taken_and_one_byte_more_is_not() -> None:
    headers = bearer() | {"content-type": JSON}
    fits = b'{"what": "%s"}' % (b"x" * (BODY_LIMIT - 12))
    async with asking(guarded(BOTH_TOKENS)) as client:
        assert len(fits) == BODY_LIMIT == 65536
        assert (await client.post("/approve/7", content=fits, headers=headers)).status_code == 200
        answer = await client.post("/approve/7", content=fits + b" ", headers=headers)
        assert answer.status_code == 413
        assert answer.text == "Nothing was done: more than 64 KiB were sent.\n"
        for sizes in ((BODY_LIMIT, 1), (1, BODY_LIMIT), (BODY_LIMIT + 1,)):
            answer = await client.post("/approve/7", content=parts(*sizes), headers=headers)
            assert answer.status_code == 413


@pytest.mark.parametrize("length", ["65537", "1" + "0" * 5000])
async def test_what_is_said_to_be_too_long_is_not_even_begun(length: str) -> None:
    async def receive() -> Any:
        raise AssertionError("read")

    with pytest.raises(Unfit) as caught:
        await body_of({"headers": [(b"content-length", length.encode())]}, receive)
    assert caught.value.status == 413


@pytest.mark.parametrize("length", ["", "-1", "x", "65536", "²"])
async def test_what_is_said_of_a_length_is_not_believed_otherwise(length: str) -> None:
    given = iter(
        [{"type": "http.request", "body": b"ab", "more_body": True}, {"type": "http.request"}]
    )

    async def receive() -> Any:
        return next(given)

    headers = [(b"content-length", length.encode())]
    assert await body_of({"headers": headers}, receive) == b"ab"


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def receive() -> Any:
        await asyncio.Event().wait()

    with pytest.raises(Unfit) as caught:
        await body_of({"headers": []}, receive, within_s=0.01)
    assert caught.value.status == 408


async def test_a_request_that_breaks_off_does_nothing() -> None:
    async def receive() -> Any:
        return {"type": "http.disconnect"}

    with pytest.raises(Unfit) as caught:
        await body_of({"headers": []}, receive)
    assert caught.value.status == 400


def test_no_part_of_a_name_passes_for_a_part_of_another_token() -> None:
    tokens = FormTokens(key=b"k", clock=FakeClock())
    made = {
        tokens.token(Actor(name, role))
        for name in ("ana", "ana,read", 'ana","read', "an", "a\0na", "")
        for role in Role
    }
    assert len(made) == 12
    assert all(len(one) == 64 for one in made)
    assert not any(tokens.right(Actor("ben", Role.approve), one) for one in made)


def test_another_process_makes_other_tokens() -> None:
    one, two = (FormTokens(key=key, clock=FakeClock()) for key in (b"one", b"two"))
    ana = Actor("ana", Role.approve)
    assert one.right(ana, one.token(ana))
    assert not two.right(ana, one.token(ana))
