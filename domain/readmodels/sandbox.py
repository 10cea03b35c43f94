"""What our stream says about objects of the simulator's book, and whether the two agree. It reads
the stream read model; it has no tables of its own."""

from collections.abc import Sequence
from typing import NamedTuple

from domain.kernel.money import Cents
from domain.kernel.value import Value
from domain.stream.database import Connection


class Facts(Value):
    """The types of events on one stream, and the amount it was opened with."""

    types: frozenset[str]
    amount: Cents | None


class Expected(NamedTuple):
    """What has to be, and what must not be on our stream."""

    there: frozenset[str]
    absent: frozenset[str] = frozenset()


def _expect(*there: str, absent: tuple[str, ...] = ()) -> Expected:
    return Expected(frozenset(there), frozenset(absent))


EXPECTED: dict[tuple[str, str], Expected] = {
    ("payment_intent", "processing"): _expect(
        "payment-submitted", absent=("payment-confirmed", "payment-failed")
    ),
    ("payment_intent", "succeeded"): _expect("payment-confirmed", absent=("payment-returned",)),
    ("payment_intent", "requires_payment_method"): _expect("payment-failed"),
    ("payment_intent", "returned"): _expect("payment-returned"),
    ("refund", "pending"): _expect("refund-submitted", absent=("refund-confirmed",)),
    ("refund", "succeeded"): _expect("refund-confirmed", absent=("refund-failed",)),
    ("refund", "failed"): _expect("refund-failed"),
    ("refund", "canceled"): _expect("refund-failed"),
    ("payout", "paid"): _expect("payout-listed"),
}
"""(kind of object, its status) -> facts of ours. "returned" is ours: Stripe keeps `succeeded` and
tells of a dispute."""

STRONGEST = (
    "payment-returned",
    "payment-failed",
    "payment-settled",
    "payment-paid-out",
    "payment-confirmed",
    "payment-accepted",
    "payment-outcome-unknown",
    "payment-submitted",
    "payment-announced",
    "refund-failed",
    "refund-settled",
    "refund-paid-out",
    "refund-confirmed",
    "refund-accepted",
    "refund-outcome-unknown",
    "refund-submitted",
    "refund-approved",
    "payout-differs",
    "payout-settled",
    "payout-listed",
    "payout-arrived",
)
"""The first one that is there names the state (STORY, "Facts are flags")."""


def facts(connection: Connection, streams: Sequence[str]) -> dict[str, Facts]:
    rows = connection.execute(
        "SELECT stream, array_agg(type),"
        "       max(coalesce((data::jsonb->>'amount')::bigint, (data::jsonb->>'net')::bigint))"
        "         FILTER (WHERE type IN ('payment-scheduled', 'refund-requested', 'payout-listed'))"
        "  FROM read.stream_event WHERE stream = ANY(%s) GROUP BY stream",
        (list(streams),),
    )
    return {stream: Facts(types=frozenset(types), amount=amount) for stream, types, amount in rows}


def agree(kind: str, status: str, amount: Cents, ours: Facts | None) -> bool:
    """False also for a status that nobody expected."""
    wanted = EXPECTED.get((kind, status))
    if ours is None or wanted is None:
        return False
    right = wanted.there <= ours.types and not wanted.absent & ours.types
    return right and ours.amount == amount


def state(ours: Facts | None) -> str:
    """The type of the strongest fact, "" when we know nothing."""
    types = ours.types if ours else frozenset()
    return next((one for one in STRONGEST if one in types), "")
