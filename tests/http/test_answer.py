"""What an answer says, and how little of it an error shows."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from opsync.errors import (
    BadAnswer,
    NotFound,
    RateLimited,
    RefusedError,
    SignInError,
    TemporaryError,
)
from opsync.http import Answer, default_classify, fingerprint
from opsync.redact import Redactor


class Item(msgspec.Struct):
    id: int


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        status=status, headers=fields, body=body, url="https://acme.example/x", vendor="Acme"
    )


def test_headers_are_read_whatever_their_case() -> None:
    found = answer(Retry_After="7")
    assert found.headers["RETRY-AFTER"] == "7"
    assert "retry-After" in found.headers
    assert found.headers.get("x") is None
    assert found.retry_after_s == 7


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"id": 1', b'{"id": "one"}', b'{"id": 1e400}', b"\xff\xfe", b"[" * 100_000],
)
def test_what_cannot_be_read_names_vendor_and_path(body: bytes) -> None:
    with pytest.raises(BadAnswer) as caught:
        answer(body=body).decode(Item)
    assert "Acme" in str(caught.value)
    assert "https://acme.example/x" in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_mismatch_says_where_in_the_answer() -> None:
    with pytest.raises(BadAnswer, match=r"\$\[1\]\.id"):
        answer(body=b'[{"id": 1}, {"id": "two"}]').decode(list[Item])


@pytest.mark.parametrize("body", [b'{"title": "Rotate the keys"}', b' [{"title": "Rotate the keys'])
def test_data_is_quoted_in_no_error(body: bytes) -> None:
    with pytest.raises(BadAnswer) as caught:
        answer(body=body).decode(Item)
    assert "Rotate" not in str(caught.value)


def test_what_is_no_data_is_quoted() -> None:
    with pytest.raises(BadAnswer, match="It begins: please log in"):
        answer(body=b"please log in").decode(Item)


def test_an_excerpt_is_short_one_line_and_inert() -> None:
    body = b"first\r\nsecond \x1b[31m red \xe2\x80\xae" + b"x" * 1000
    excerpt = answer(body=body).excerpt
    assert excerpt.startswith("first second [31m red x")
    assert len(excerpt) == 200


def test_no_piece_of_a_secret_is_left_where_an_excerpt_is_cut() -> None:
    """Whatever stands before it, and at whatever byte the rest of the body is left out."""
    redactor = Redactor()
    redactor.add("canary-of-some-length")
    for before in (*range(180, 205), *range(4070, 4100), *range(8170, 8200)):
        for filler in (b"x", b" "):
            body = b"the key is " + filler * before + b"canary-of-some-length"
            answer = Answer(400, {}, body, clean=redactor.clean)
            assert "cana" not in answer.excerpt, (before, filler)


def test_an_excerpt_hides_the_queries_of_urls() -> None:
    body = b"see https://u:p@acme.example/a?token=canary for more"
    assert answer(body=body).excerpt == "see https://***@acme.example/a?*** for more"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, None),
        (204, None),
        (400, RefusedError),
        (401, SignInError),
        (403, SignInError),
        (404, NotFound),
        (408, TemporaryError),
        (409, RefusedError),
        (425, TemporaryError),
        (429, RateLimited),
        (500, TemporaryError),
        (503, TemporaryError),
        (529, TemporaryError),
    ],
)
def test_a_status_alone_says_what_to_do(status: int, kind: type[Exception] | None) -> None:
    found = default_classify(answer(status), "Acme")
    assert (type(found) if found else None) is kind
    if found:
        assert "Acme" in str(found)
        assert str(status) in str(found)


def test_an_overload_that_names_a_time_is_a_pause() -> None:
    found = default_classify(answer(503, Retry_After="9"), "Acme")
    assert isinstance(found, RateLimited)
    assert found.retry_after_s == 9


def test_a_web_page_in_an_error_is_not_quoted() -> None:
    page = answer(502, b"<html>bad gateway</html>", Content_Type="text/html; charset=utf-8")
    assert "html" not in str(default_classify(page, "Acme"))


@pytest.mark.parametrize(
    ("body", "cut"),
    [
        (b"", False),
        (b"{}", False),
        (b' {"a": 1}\n', False),
        (b"[1]", False),
        (b"3", False),
        (b'"x"', False),
        (b'{"a"', True),
        (b"[1, 2", True),
    ],
)
def test_json_that_was_begun_and_not_ended_is_cut(body: bytes, cut: bool) -> None:
    assert answer(body=body).is_cut is cut


def test_a_fingerprint_is_stable_and_tells_credentials_apart() -> None:
    assert fingerprint("site", "token") == fingerprint("site", "token")
    assert fingerprint("site", "token") != fingerprint("sitet", "oken")
    assert "token" not in fingerprint("site", "token")


def test_checking_an_address_does_not_load_httpx() -> None:
    code = (
        "import sys; from opsync.http import check_base_url; check_base_url('https://a.example');"
        "print([m for m in ('httpx', 'tenacity', 'structlog') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
