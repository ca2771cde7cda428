"""JSON that is broken as Amplitude's documentation has it is read; what is not certain is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsync_amplitude import lenient

DOCUMENTED = b"""{
    "data": {
        "series": [
            [273333], [190351]
        ],
        "seriesLabels": ["United States", "Germany"],
        "seriesCollapsed": [
            [
                {"value": 273333}
            ],
            [
                {"value": 190351}
            ],
        "xValues": ["2014-10-01", "2014-10-02"]
    }
}"""

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_the_documented_example_is_read() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(DOCUMENTED)
    data: Any = lenient.read(DOCUMENTED)
    assert data["data"]["series"] == [[273333], [190351]]
    assert data["data"]["seriesCollapsed"] == [[{"value": 273333}], [{"value": 190351}]]
    assert data["data"]["xValues"] == ["2014-10-01", "2014-10-02"]


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_good_json_is_read_as_it_is(value: object) -> None:
    assert lenient.read(json.dumps(value).encode()) == value


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_commas_too_many_change_nothing(value: object) -> None:
    body = json.dumps({"a": [value, [value]], "b": {"c": value}})
    loose = body[:-2] + ",},}"
    assert lenient.read(loose.encode()) == json.loads(body)


@settings(max_examples=40, deadline=None)
@given(VALUES, VALUES)
def test_lists_that_do_not_end_end_where_they_must(one: object, other: object) -> None:
    inner, last = json.dumps(one), json.dumps(other)
    body = f'{{"a": [{inner}, [{inner}, "b": [{last}, [{last}}}'
    assert lenient.read(body.encode()) == {"a": [one, [one]], "b": [other, [other]]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing",
        b'{"a": 1',
        b'{"a": [1, 2',
        b'{"a": 1 "b": 2}',
        b"[1 2]",
        b'{"a": 1}}',
        b"[1]]",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1.2.3,}',
        b'{"a": "x\ny",}',
        b'{"a": "\\q",}',
        b'{"a" 1,}',
        b"{,}",
        b"[,]",
        b"[1,,2]",
        b'{"a": 1, "a": 2,}',
        b"{'a': 1}",
        b"[" * 200 + b",",
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_not_certain_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"it is|is there twice"):
        lenient.read(body)
