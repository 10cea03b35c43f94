"""What is wrong with an answer: from bytes, status and type to trouble; a refusal is none."""

from __future__ import annotations

import pytest

from domain.payments.provider_events import Trouble
from jobs.providers.stripe.client import RETRY_AFTER_S, _hold_s, trouble_in

JSON = {"Content-Type": "application/json"}
HTML = {"Content-Type": "text/html; charset=utf-8"}
GOOD = b'{"object": "refund", "id": "re_1", "status": "succeeded"}'
REFUSED = b'{"error": {"type": "card_error", "message": "no"}}'


@pytest.mark.parametrize(
    ("content", "status", "headers", "trouble"),
    [
        (GOOD, 200, JSON, None),
        (GOOD, 200, {"Content-Type": "application/json; charset=utf-8"}, None),
        (REFUSED, 400, JSON, None),
        (REFUSED, 402, JSON, None),
        (REFUSED, 404, JSON, None),
        (REFUSED, 409, JSON, None),
        (REFUSED, 401, JSON, Trouble.NOT_ALLOWED),
        (REFUSED, 429, JSON, Trouble.RATE_LIMITED),
        (REFUSED, 500, JSON, Trouble.SERVER_ERROR),
        (b"<html>", 503, HTML, Trouble.SERVER_ERROR),
        (b"<html>", 200, HTML, Trouble.GARBAGE),
        (b"<html>", 403, HTML, Trouble.GARBAGE),
        (GOOD[:20], 200, JSON, Trouble.GARBAGE),
        (GOOD, 200, {"Content-Type": "text/plain"}, Trouble.GARBAGE),
        (GOOD, 200, {}, Trouble.GARBAGE),
        (b"", 200, JSON, Trouble.GARBAGE),
        (b"{}", 200, JSON, Trouble.GARBAGE),
        (b"[]", 200, JSON, Trouble.GARBAGE),
        (b"null", 200, JSON, Trouble.GARBAGE),
        (b'"ok"', 200, JSON, Trouble.GARBAGE),
        (b"\xff\xfe\x00", 200, JSON, Trouble.GARBAGE),
        (REFUSED, 200, JSON, Trouble.GARBAGE),
        (GOOD, 400, JSON, Trouble.GARBAGE),
        (b"[" * 100_000, 200, JSON, Trouble.GARBAGE),
    ],
)
def test_trouble(
    content: bytes, status: int, headers: dict[str, str], trouble: Trouble | None
) -> None:
    assert trouble_in(content, status, headers) is trouble


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("7", 7.0),
        ("0", RETRY_AFTER_S),
        ("", RETRY_AFTER_S),
        ("-3", RETRY_AFTER_S),
        ("Fri, 31 Dec 2027 23:59:59 GMT", RETRY_AFTER_S),
        ("\u0663", RETRY_AFTER_S),
    ],
)
def test_retry_after(told: str, seconds: float) -> None:
    assert _hold_s(Trouble.RATE_LIMITED, {"Retry-After": told}) == seconds
    assert _hold_s(Trouble.SERVER_ERROR, {"Retry-After": told}) is None
