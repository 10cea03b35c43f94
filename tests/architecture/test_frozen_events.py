"""What was stored once is read for ever: wire names, versions, fields, their types are frozen."""

from __future__ import annotations

import json

from domain.kernel.message import Event
from tests.architecture.events import FILE, changed, merged, now, schema, words

FROZEN = json.loads(FILE.read_text())


def test_event_schemas_are_the_frozen_ones() -> None:
    complaints = changed(FROZEN["events"], now())
    assert not complaints, (
        f"new types and versions: python -m tests.architecture.events\n{complaints}"
    )


def test_no_word_is_taken_away() -> None:
    present = words()
    for name, values in FROZEN["words"].items():
        assert set(values) <= set(present[name])
    assert set(present) == set(FROZEN["words"])


def test_every_old_version_has_its_upcaster() -> None:
    """The codec refuses to be made without one; here the versions are those we ever froze."""
    for wire, versions in FROZEN["events"].items():
        (latest,) = now()[wire]
        assert {int(version) for version in versions} == set(range(1, int(latest) + 1))


class RefundExpired(Event, frozen=True, kw_only=True):
    """The real one with one field more."""

    prefix = "rf"
    refund_id: str
    payment_id: str
    why: str


def test_a_changed_field_is_caught_and_never_overwritten() -> None:
    frozen = FROZEN["events"]
    tampered = {**now(), "refund-expired": {"1": schema(RefundExpired)}}
    assert changed(frozen, tampered) == ["refund-expired version 1 changed: make it a new version"]
    assert merged(frozen, tampered) == frozen
    second = {**now(), "refund-expired": {"2": schema(RefundExpired)}}
    assert changed(frozen, second) == ["refund-expired version 2 is not frozen yet"]
    assert changed(merged(frozen, second), second) == []


def test_an_event_that_is_gone_is_caught() -> None:
    left = {wire: versions for wire, versions in now().items() if wire != "refund-settled"}
    assert changed(FROZEN["events"], left) == ["refund-settled is gone"]
