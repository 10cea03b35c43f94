"""Is this notification really from its provider? One table provider -> check, over the raw bytes.
Every input gets an answer; nothing here raises, stores or reads a clock."""

import hmac
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TypeAlias

import msgspec

TOLERANCE_SECONDS = 300
"""Stripe's own bound for the past; the same for the future, which its SDK leaves open."""

SIGNATURES_MAX = 16
"""A header with more signatures than any key rotation needs is not worth its hashes."""

TIMESTAMP_DIGITS_MAX = 12


class Verified(msgspec.Struct, frozen=True):
    """The secret's holder signed these bytes just now."""


class Rejected(msgspec.Struct, frozen=True):
    """Answer 400, count, do not store."""

    reason: str


class Undecided(msgspec.Struct, frozen=True):
    """Needs what the hook must not wait for, such as a certificate: a worker settles it."""

    reason: str


Verdict: TypeAlias = Verified | Rejected | Undecided
Check: TypeAlias = Callable[[bytes, Mapping[str, str], str, int], Verdict]


def check(provider: str, body: bytes, headers: Mapping[str, str], secret: str, now: int) -> Verdict:
    """`now` is wall time in Unix seconds; header names are compared without case."""
    checker = CHECKS.get(provider)
    if checker is None:
        return Rejected("unknown provider")
    return checker(body, {name.lower(): value for name, value in headers.items()}, secret, now)


def _stripe(body: bytes, headers: Mapping[str, str], secret: str, now: int) -> Verdict:
    header = headers.get("stripe-signature", "")
    timestamp, signatures = _parse_stripe(header)
    if timestamp is None or not signatures:
        return Rejected("malformed signature header" if header else "no signature header")
    if not secret:
        return Rejected("no secret is configured")
    if timestamp < now - TOLERANCE_SECONDS:
        return Rejected("stale timestamp")
    if timestamp > now + TOLERANCE_SECONDS:
        return Rejected("timestamp in the future")
    # The timestamp is signed as it was written, so leading zeros must not be normalised away.
    signed = header_timestamp(header).encode() + b"." + body
    expected = hmac.new(secret.encode(), signed, sha256).hexdigest()
    if not any(hmac.compare_digest(expected, one) for one in signatures):
        return Rejected("no matching signature")
    if not _is_utf8(body):
        return Rejected("body is not UTF-8")
    return Verified()


def header_timestamp(header: str) -> str:
    """The first `t` of a Stripe-Signature header as written, or ""."""
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            return value
    return ""


def _parse_stripe(header: str) -> tuple[int | None, list[str]]:
    if not header.isascii():
        return None, []
    text = header_timestamp(header)
    if not text.isdigit() or len(text) > TIMESTAMP_DIGITS_MAX:
        return None, []
    parts = (part.strip().partition("=") for part in header.split(","))
    signatures = [value for name, _, value in parts if name == "v1"]
    if len(signatures) > SIGNATURES_MAX:
        return None, []
    return int(text), signatures


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


CHECKS: dict[str, Check] = {"stripe": _stripe}
