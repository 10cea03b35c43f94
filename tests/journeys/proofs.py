"""What must be true at the end of every journey, whatever happened on the way: `./run check` finds
nothing (gap-free numbers, PDFs as issued, read models as rebuilt …), the simulator's book equals
ours, and nothing is left behind."""

from collections import Counter
from collections.abc import Iterable

from domain.payments import events as e
from domain.payments.refund import CONFIRMED
from domain.payments.settlement import Payout
from domain.payments.settlement_commands import payout_id
from jobs.check.__main__ import CHECKS
from tests.journeys.world import World

RENDERED_AGAIN = "25-26"
"""The one question of `./run check` that takes a while: documents are what was issued."""
Movements = dict[str, Counter[tuple[str, int]]]
"""Operation id -> its bookings on the provider's balance, by category and amount."""


def prove(world: World, *, documents: bool = True) -> None:
    """All of it. Without `documents` they are not rendered again to be compared: that may wait
    for the last journey of a Kontor that several share."""
    nothing_is_left_behind(world)
    checks_find_nothing(world, documents=documents)
    book_equals_ours(world)
    payouts_equal_ours(world)
    limits_hold(world)


def checks_find_nothing(world: World, *, documents: bool) -> None:
    """Everything `./run check` asks. Number 15 rebuilds every read model beside the live one and
    compares their row hashes."""
    assert "15" in [invariant for invariant, _says, _check in CHECKS]
    with world.kontor.read() as connection:
        for invariant, says, check in CHECKS:
            if documents or invariant != RENDERED_AGAIN:
                with connection.transaction(force_rollback=True):  # as `./run check` asks
                    found = list(check(connection, world.settings))
                assert found == [], f"{invariant}: {says}"


def streams(world: World, prefix: str) -> list[str]:
    rows = world.rows(
        "SELECT DISTINCT stream FROM read.stream_event WHERE starts_with(stream, %s)", f"{prefix}_"
    )
    return sorted(stream for (stream,) in rows)


def book_equals_ours(world: World) -> None:
    """Exactly one movement for each confirmed operation and its amount, none for any other, and
    none in the book that belongs to no operation of ours, except refunds that have a case."""
    book = world.book()
    theirs: Movements = {}
    foreign: list[str] = []
    for one in book["movements"]:
        if one["category"] == "payout":
            continue
        if not one["operation_id"]:
            foreign.append(one["source"])
            continue
        found = theirs.setdefault(one["operation_id"], Counter())
        found[one["category"], one["amount"]] += 1
    assert ours(world) == theirs
    for kind in ("payment_intent", "refund"):
        asked = Counter(one["metadata"].get("operation_id") for one in book[kind])
        asked.pop(None, None)
        assert not [name for name, number in asked.items() if number > 1], f"{kind} asked twice"
    listed = {
        item.reference
        for stream in streams(world, "po")
        if (payout := _payout(world, stream)).listed is not None
        for item in payout.listed.items
    }
    waiting = {one["source"] for one in book["movements"] if one["payout"] is None}
    assert set(foreign) <= listed | waiting


def ours(world: World) -> Movements:
    expected: Movements = {}
    for stream in [*streams(world, "pay"), *streams(world, "rf")]:
        moved = Counter(_movements(world, stream))
        if moved:
            expected[stream] = moved
    return expected


def _movements(world: World, stream: str) -> Iterable[tuple[str, int]]:
    amount = 0
    for event in world.events(stream):
        match event:
            case e.PaymentScheduled() | e.RefundRequested():
                amount = event.amount
            case e.PaymentConfirmed():
                yield "charge", amount
            case e.PaymentReturned():
                yield "dispute", -event.amount
            case e.RefundConfirmed():
                yield "refund", -amount
            case e.RefundFailed(late=True):
                yield "refund_failure", amount


def payouts_equal_ours(world: World) -> None:
    """Every payout of the book is listed with its items, and what lies in it says so."""
    book = world.book()
    for theirs in book["payout"]:
        payout = _payout(world, payout_id("stripe", theirs["trace_id"]["value"]))
        assert payout.listed is not None, f"{theirs['id']} was never listed"
        inside = [
            one
            for one in book["movements"]
            if one["payout"] == theirs["id"] and one["category"] != "payout"
        ]
        assert payout.listed.net == theirs["amount"]
        assert Counter((one.amount, one.fee) for one in payout.listed.items) == Counter(
            (one["amount"], one["fee"]) for one in inside
        )
        for one in inside:
            if one["category"] in ("charge", "refund") and one["operation_id"]:
                state = world.state(one["operation_id"])
                failed = one["category"] == "refund" and state.status not in CONFIRMED
                assert failed or state.payout_id == payout.listed.payout_id


def _payout(world: World, stream: str) -> Payout:
    state = world.state(stream)
    assert isinstance(state, Payout)
    return state


def limits_hold(world: World) -> None:
    """Our own decisions never give more than came in; an excess from outside is a recovery."""
    for stream in streams(world, "pay"):
        payment = world.state(stream)
        kept = payment.refunded + payment.reserved <= payment.collected
        assert kept, f"{stream}: more was promised than collected"
        recovered = world.rows(
            "SELECT coalesce((SELECT (data::jsonb->>'amount')::bigint FROM read.stream_event"
            " WHERE type LIKE 'recovery-%%' AND data::jsonb->>'payment_id' = %s"
            " ORDER BY version DESC LIMIT 1), 0)",
            stream,
        )[0][0]
        assert recovered == payment.excess
    for stream in streams(world, "rcv"):
        receivable = world.state(stream)
        assert 0 <= receivable.applied <= sum(receivable.receipts.values()), stream


def nothing_is_left_behind(world: World) -> None:
    """Nobody lags, nothing is parked, no effect is open, no webhook undelivered."""
    world.settle()
    assert world.rows("SELECT consumer, stream, error FROM parked") == []
    assert (
        world.rows(
            "SELECT kind, stream, status, error FROM effect"
            " WHERE status IN ('leased', 'unknown', 'parked')"
        )
        == []
    )
    assert world.rows("SELECT notification_id FROM inbox WHERE state = 'waiting'") == []
    assert world.rows("SELECT min(feed_position), max(feed_position) - count(*) FROM feed") == [
        (1, 0)
    ]
    assert world.rows("SELECT (SELECT count(*) FROM event) - (SELECT count(*) FROM feed)") == [(0,)]
