"""A delivery counts only with a signature that one of the secrets made over its raw body."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha1, sha256, sha512
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from opsync import (
    Delivery,
    RecordError,
    Ref,
    Registered,
    Signal,
    SignatureError,
    WebhookSource,
    check_signature,
    delivery_id,
    header,
    read_body,
)
from opsync.contract.webhooks import ManagesWebhooks

BODY = b'{"id": "1", "type": "x"}'
NEW = b"the-secret-in-force-0123456789abcdef"
OLD = b"the-secret-before-0123456789abcdefgh"
RIGHT = hmac.new(NEW, BODY, sha256).hexdigest()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Plain(WebhookSource):
    """A tool that says nothing of time."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes]) -> Delivery:
        return Delivery("1")

    def affected(self, headers: Mapping[str, str], body: bytes) -> Signal:
        return Signal()


class Timed(Plain):
    """A tool that signs its clock."""

    tolerance = timedelta(seconds=60)


class Managed(ManagesWebhooks):
    """An API whose webhooks never end."""

    async def webhooks(self) -> Sequence[Registered]:
        return ()

    async def register(self, url: str, secret: str) -> Sequence[Registered]:
        return ()

    async def remove(self, id: str) -> None:  # noqa: A002 - as in the contract
        return None


@pytest.mark.parametrize("secrets", [[NEW], [NEW, OLD], [OLD, NEW], [b"", NEW]])
def test_any_of_the_secrets_will_do(secrets: list[bytes]) -> None:
    check_signature(RIGHT, BODY, secrets)
    check_signature(f"sha256={RIGHT}", BODY, secrets, prefix="sha256=")


WRONG = {
    "nothing": "",
    "another secret's": hmac.new(OLD, BODY, sha256).hexdigest(),
    "too short": RIGHT[:-1],
    "half": RIGHT[:32],
    "too long": RIGHT + "0",
    "twice": RIGHT + RIGHT,
    "upper case": RIGHT.upper(),
    "no hex": "g" * 64,
    "blank before": " " + RIGHT,
    "blank behind": RIGHT + " ",
    "line end behind": RIGHT + "\n",
    "another algorithm, shorter": hmac.new(NEW, BODY, sha1).hexdigest(),
    "another algorithm, longer": hmac.new(NEW, BODY, sha512).hexdigest(),
    "no algorithm": "none",
    "not keyed": sha256(BODY).hexdigest(),
    "digits of another script": "\u0661" * 64,
    "half a character": "\udc80" * 64,
    "a zero byte": "\x00" * 64,
    "a list": f"{RIGHT},{RIGHT}",
    "a prefix that is not asked for": f"sha256={RIGHT}",
}


@pytest.mark.parametrize("given_", WRONG.values(), ids=WRONG.keys())
def test_a_signature_of_another_form_or_make_is_refused(given_: str) -> None:
    with pytest.raises(SignatureError):
        check_signature(given_, BODY, [NEW])


@pytest.mark.parametrize(
    "given_",
    [
        *(RIGHT, f"sha1={RIGHT}", f"SHA256={RIGHT}", f"sha256:{RIGHT}", f"sha256= {RIGHT}"),
        *("sha256=", f"sha256=sha256={RIGHT}", f"none={RIGHT}", f"x sha256={RIGHT}"),
    ],
)
def test_where_a_prefix_belongs_to_it_only_that_one_is_taken(given_: str) -> None:
    with pytest.raises(SignatureError):
        check_signature(given_, BODY, [NEW], prefix="sha256=")


def test_an_unsigned_delivery_is_told_from_a_forged_one() -> None:
    for given_, why in (("", "not signed"), ("x", "another form"), ("0" * 64, "wrong")):
        with pytest.raises(SignatureError, match=why):
            check_signature(given_, BODY, [NEW])


@pytest.mark.parametrize(
    "body",
    [BODY + b"\n", BODY.replace(b" ", b""), b"\xef\xbb\xbf" + BODY, BODY[:-1], b"", BODY.upper()],
)
def test_a_body_that_differs_by_a_byte_is_refused(body: bytes) -> None:
    with pytest.raises(SignatureError, match="wrong"):
        check_signature(RIGHT, body, [NEW])


@pytest.mark.parametrize("secrets", [[], [b""], [b"", b""], [OLD], [NEW + b" "], [NEW[:-1]]])
def test_without_its_secret_nothing_is_taken(secrets: list[bytes]) -> None:
    with pytest.raises(SignatureError):
        check_signature(RIGHT, BODY, secrets)


def test_an_empty_secret_signs_nothing() -> None:
    signed_by_nothing = hmac.new(b"", BODY, sha256).hexdigest()

    with pytest.raises(SignatureError):
        check_signature(signed_by_nothing, BODY, [b""])
    with pytest.raises(SignatureError):
        check_signature(signed_by_nothing, BODY, [b"", NEW])


def test_every_secret_is_compared_whichever_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def counting(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    check_signature(RIGHT, BODY, [NEW, OLD])

    assert len(compared) == 2
    assert {other for _, other in compared} == {RIGHT.encode()}


@given(st.text(), st.binary(), st.lists(st.binary(max_size=80), max_size=3))
def test_whatever_a_header_is_it_is_refused_and_never_an_accident(
    given_: str, body: bytes, secrets: list[bytes]
) -> None:
    made = {hmac.new(secret, body, sha256).hexdigest() for secret in secrets if secret}
    if given_ not in made:
        with pytest.raises(SignatureError):
            check_signature(given_, body, secrets)


def test_a_refusal_tells_neither_the_secret_nor_the_right_signature() -> None:
    for wrong in WRONG.values():
        with pytest.raises(SignatureError) as refused:
            check_signature(wrong, BODY, [NEW])
        assert RIGHT not in str(refused.value)
        assert NEW.decode() not in str(refused.value)


@pytest.mark.parametrize("name", ["X-Hub-Signature", "x-hub-signature", "X-HUB-SIGNATURE"])
def test_a_header_is_found_however_its_name_is_spelt(name: str) -> None:
    assert header({"Other": "1", name: "2"}, "X-Hub-Signature") == "2"
    assert header({name: "2"}, "x-hub-signature") == "2"
    assert header({"X-Hub-Signature-256": "2"}, "X-Hub-Signature") == ""


def test_an_id_that_is_missing_or_odd_is_made_of_the_body() -> None:
    made = f"sha256:{sha256(BODY).hexdigest()}"

    assert delivery_id("7b0e", BODY) == "7b0e"
    assert delivery_id("7", BODY) == "7"
    assert delivery_id("x" * 200, BODY) == "x" * 200
    assert delivery_id("x" * 201, BODY) == made
    assert delivery_id("", BODY) == made
    assert delivery_id(None, BODY) == made
    assert delivery_id(7, BODY) == made
    assert delivery_id("", BODY + b" ") != made


@pytest.mark.parametrize("off", [timedelta(0), timedelta(seconds=60), timedelta(seconds=-60)])
def test_a_delivery_may_be_a_minute_off_either_way(off: timedelta) -> None:
    assert Timed().timely(Delivery("1", NOON + off), NOON)


@pytest.mark.parametrize("off", [60.001, -60.001, 86_400.0, -86_400.0])
def test_a_delivery_that_is_stale_or_from_the_future_is_not_timely(off: float) -> None:
    assert not Timed().timely(Delivery("1", NOON + timedelta(seconds=off)), NOON)


def test_what_should_tell_its_time_and_does_not_is_not_timely() -> None:
    assert not Timed().timely(Delivery("1"), NOON)
    assert Plain().timely(Delivery("1"), NOON)


def test_a_signal_counts_for_something_when_it_names_a_thing_or_everything() -> None:
    assert not Signal()
    assert Signal(whole=True)
    assert Signal((Ref("jira", "issue", "1"),))


def test_what_a_tool_does_not_do_is_left_out() -> None:
    tool = Plain()

    assert tool.answers == 200
    assert not tool.says_hello
    assert tool.handshake({}, b'{"verification_token": "secret_x"}') is None
    assert tool.steps("https://opsync.example/hooks/x") == ()


def test_a_webhook_is_on_and_somebodys_unless_the_tool_says_otherwise() -> None:
    one = Registered("1", "https://opsync.example/hooks/x")

    assert (one.enabled, one.own, one.expires_at, one.covers) == (True, False, None, "")


@pytest.mark.parametrize("value", [Delivery("1"), Signal(), Registered("1", "x")])
def test_what_was_said_cannot_be_changed(value: Any) -> None:
    name = value.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(value, name, "2")


async def test_a_webhook_that_never_ends_is_renewed_as_it_is() -> None:
    one = Registered("1", "https://opsync.example/hooks/x")

    assert await Managed().renew(one) is one
    assert Managed().manages


class Shape(Struct):
    id: int = 0


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b'{"id": "x"}', b"\xff", b'{"id": 1.5}'),
        b'{"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["empty", "cut", "list", "null", "text", "bytes", "a half", "deep"],
)
def test_a_body_of_another_shape_is_one_error(body: bytes) -> None:
    with pytest.raises(RecordError, match="the change signal cannot be read"):
        read_body(body, Shape)


def test_a_body_of_the_shape_is_read() -> None:
    assert read_body(b'{"id": 7, "more": [1]}', Shape).id == 7
