"""Which notification this is and what it points at: any bytes get an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.payments.hints import ID_CHARS_MAX, Pointer, read
from tests.domain.properties import quick

GOOD = b'{"id": "evt_1", "type": "x", "data": {"object": {"id": "pi_1", "amount": 5}}}'


def with_id(text: str) -> bytes:
    return GOOD.replace(b"evt_1", text.encode())


def test_a_notification_points_at_its_object() -> None:
    assert read("stripe", GOOD) == Pointer(notification_id="evt_1", object_id="pi_1")
    longest = "e" * ID_CHARS_MAX
    pointer = read("stripe", with_id(longest))
    assert pointer is not None
    assert pointer.notification_id == longest


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"id": "evt_1"}',
        b'{"id": 1, "data": {"object": {"id": "pi_1"}}}',
        b'{"id": "evt_1", "data": {"object": {"id": null}}}',
        with_id(""),
        with_id("\\u0000"),
        with_id("e" * (ID_CHARS_MAX + 1)),
        b"[" * 100_000,
    ],
)
def test_what_is_no_notification(body: bytes) -> None:
    assert read("stripe", body) is None


def test_a_provider_nobody_knows() -> None:
    assert read("paypal", GOOD) is None


@quick
@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(body: bytes) -> None:
    assert read("stripe", body) is None
