"""Ids, wire names and refusals: the small words that everything is said with."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel import ids
from domain.kernel.message import Refused, States, wire_name
from domain.registry import EVENTS, THINGS, thing_of
from tests.domain.properties import quick

UUIDS = st.uuids()


@quick
@given(UUIDS)
def test_an_id_and_back(value: UUID) -> None:
    text = ids.write_id("pay", value)
    assert len(text) == len("pay_") + 26
    assert ids.read_id(text, "pay") == value
    assert ids.prefix_of(text) == "pay"


@quick
@given(UUIDS, st.integers(0, 1023))
def test_the_shard_is_the_first_ten_bits(value: UUID, shard: int) -> None:
    moved = ids.on_shard(value, shard)
    assert ids.shard_of(moved) == shard
    assert ids.on_shard(moved, ids.shard_of(value)) == value


@quick
@given(UUIDS)
def test_a_derived_id_lies_on_the_shard_of_its_neighbour(value: UUID) -> None:
    near = ids.write_id("cus", value)
    derived = ids.derive("pay", near, near, 1)
    assert ids.shard_of(ids.read_id(derived)) == ids.shard_of(value)
    assert derived == ids.derive("pay", near, near, 1)
    assert derived != ids.derive("pay", near, near, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pay",
        "pay_",
        "pay_1",
        "rf_" + "0" * 26,
        "pay_" + "0" * 27,
        "pay_" + "0" * 25 + "u",
        "pay_" + "0" * 25 + "A",
        "pay_" + "0" * 25 + "\u0663",
        "pay_" + "0" * 24 + "_1",
        "pay_+" + "0" * 25,
        "pay_ " + "0" * 25,
        "pay_" + "z" * 26,
    ],
)
def test_what_is_no_id_of_ours(text: str) -> None:
    with pytest.raises(ids.MalformedId):
        ids.read_id(text, "pay")


def test_wire_names() -> None:
    assert wire_name("RefundApproved") == "refund-approved"
    assert wire_name("PaymentOutcomeUnknown") == "payment-outcome-unknown"
    assert len({event.wire() for event in EVENTS}) == len(EVENTS)


def test_a_refusal_is_a_message_with_values() -> None:
    refused = Refused("%(amount)s is too much.", amount=7)
    assert (str(refused), refused.message, refused.values) == (
        "7 is too much.",
        "%(amount)s is too much.",
        {"amount": 7},
    )


def test_states_are_of_the_kind_that_was_asked_for() -> None:
    stream = ids.write_id("pay", UUID(int=1))
    states = States({stream: thing_of(stream).begin()})
    with pytest.raises(TypeError, match="holds Payment"):
        states.of(stream, str)


def test_every_event_belongs_to_the_thing_of_its_prefix() -> None:
    for prefix, thing in THINGS.items():
        assert {event.prefix for event in thing.events} == {prefix}
