"""One table per thing: every edge is walked by the fold, every other event is refused by it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from domain.kernel.message import Event
from domain.kernel.time import BEGINNING
from domain.kernel.transitions import Impossible
from domain.payments import events as e
from domain.payments.events import Reason, ReleaseCause
from domain.payments.payment import HELD_TRANSITIONS, HeldState, Payment, Status
from domain.registry import THINGS
from tests.spec import World, make_id, stream_of

HELD_EVENTS = (
    e.RefundReserved,
    e.RefundSent,
    e.RefundReleased,
    e.RefundBooked,
    e.RefundUnbooked,
)


SAMPLES: dict[Any, Any] = {
    datetime: BEGINNING,
    date: BEGINNING.date(),
    int: 1,
    bool: False,
    str: "x",
}


def example(kind: type[Event]) -> Event:
    """An event with some content; its stream is always the same one."""
    content: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        if name not in kind.__struct_fields__:
            continue
        content[name] = _some(name, hint)
    return msgspec.convert(content, kind)


def _some(name: str, hint: Any) -> Any:
    prefixes = {
        "customer_id": "cus",
        "contract_id": "ct",
        "mandate_id": "man",
        "receivable_id": "rcv",
        "document_id": "inv",
        "payment_id": "pay",
        "refund_id": "rf",
        "recovery_id": "rec",
        "payout_id": "po",
        "statement_id": "st",
        "line_id": "ln",
        "account_id": "acc",
        "provider_id": "prv",
        "case_id": "cs",
    }
    if name in prefixes:
        return make_id(prefixes[name])
    if options := getattr(hint, "__members__", None):
        return next(iter(options.values()))
    if type(None) in get_args(hint):
        return None
    if hint in SAMPLES:
        return SAMPLES[hint]
    return {tuple: (), dict: {}, Literal: "private"}[get_origin(hint)]


EDGES = [(prefix, *edge) for prefix, thing in THINGS.items() for edge in thing.edges()]


def kinds_of(prefix: str) -> dict[str, type[Event]]:
    return {kind.wire(): kind for kind in THINGS[prefix].events if kind not in HELD_EVENTS}


def path_to(prefix: str, status: str) -> list[str]:
    """The shortest way through the table from nothing to the status."""
    ways: dict[str, list[str]] = {"nothing": []}
    frontier = ["nothing"]
    while frontier:
        here = frontier.pop(0)
        for before, event, after in THINGS[prefix].edges():
            if before == here and after not in ways:
                ways[after] = [*ways[here], event]
                frontier.append(after)
    return ways[status]


def world_in(prefix: str, status: str) -> World:
    return World(example(kinds_of(prefix)[event]) for event in path_to(prefix, status))


def status_of(world: World, event: Event) -> str:
    status: str = world.state(stream_of(event)).status  # type: ignore[attr-defined] # every state has one
    return status


@pytest.mark.parametrize(("prefix", "before", "event", "after"), EDGES)
def test_every_edge_is_walked(prefix: str, before: str, event: str, after: str) -> None:
    world, fact = world_in(prefix, before), example(kinds_of(prefix)[event])
    assert status_of(world, fact) == before
    world.record(fact)
    assert status_of(world, fact) == after


@pytest.mark.parametrize("prefix", THINGS)
def test_nothing_else_is_possible(prefix: str) -> None:
    walked = {(before, event) for before, event, _ in THINGS[prefix].edges()}
    statuses = {"nothing"} | {after for _, _, after in THINGS[prefix].edges()}
    for status in statuses:
        for wire, kind in kinds_of(prefix).items():
            if (status, wire) not in walked:
                with pytest.raises(Impossible):
                    world_in(prefix, status).record(example(kind))


@pytest.mark.parametrize("prefix", THINGS)
def test_every_event_and_every_status_has_its_place(prefix: str) -> None:
    table = THINGS[prefix].edges()
    assert {event for _, event, _ in table} == set(kinds_of(prefix))
    status = type(world_in(prefix, "nothing").state(make_id(prefix)).status)  # type: ignore[attr-defined]
    assert {one.value for one in status} == {"nothing"} | {after for _, _, after in table}


HELD_WAYS: dict[HeldState, tuple[type[Event], ...]] = {
    HeldState.NOTHING: (),
    HeldState.RESERVED: (e.RefundReserved,),
    HeldState.SENT: (e.RefundReserved, e.RefundSent),
    HeldState.BOOKED: (e.RefundReserved, e.RefundSent, e.RefundBooked),
    HeldState.RELEASED: (e.RefundReserved, e.RefundReleased),
    HeldState.UNBOOKED: (e.RefundReserved, e.RefundSent, e.RefundBooked, e.RefundUnbooked),
}


def held_event(kind: type[Event]) -> Event:
    content = {
        "at": BEGINNING,
        "payment_id": make_id("pay"),
        "refund_id": make_id("rf"),
        "amount": 500,
        "reason": Reason.GOODWILL,
        "cause": ReleaseCause.REJECTED,
    }
    return kind(**{name: content[name] for name in kind.__struct_fields__})


def held(world: World) -> HeldState:
    payment = world.state(make_id("pay"))
    assert isinstance(payment, Payment)
    one = payment.refunds.get(make_id("rf"))
    return HeldState.NOTHING if one is None else one.state


@pytest.mark.parametrize("kind", HELD_EVENTS)
@pytest.mark.parametrize("before", HeldState)
def test_a_reservation_follows_its_own_table(before: HeldState, kind: type[Event]) -> None:
    """In any status of the payment: facts about refunds are kept after a return, too."""
    world = World(held_event(one) for one in HELD_WAYS[before])
    after = HELD_TRANSITIONS.get((before, kind.wire()))
    if after is None:
        with pytest.raises(Impossible):
            world.record(held_event(kind))
    else:
        world.record(held_event(kind))
        assert held(world) is after


def test_a_reservation_ends_exactly_once() -> None:
    """RELIABILITY 5: from released nothing leads on; from booked only unbooked does."""
    follows = {before: set[str]() for before in HeldState}
    for (before, event), _ in HELD_TRANSITIONS.items():
        follows[before].add(event)
    assert follows[HeldState.RELEASED] == follows[HeldState.UNBOOKED] == set()
    assert follows[HeldState.BOOKED] == {"refund-unbooked"}


def test_the_strongest_fact_stays() -> None:
    """STORY: Returned > Failed > Settled > PaidOut > Confirmed > Accepted > Submitted > …"""
    order = list(Status)
    order.remove(Status.OUTCOME_UNKNOWN)
    for before, _, after in THINGS["pay"].edges():
        if "outcome-unknown" not in (before, after):
            assert order.index(Status(after)) >= order.index(Status(before))
