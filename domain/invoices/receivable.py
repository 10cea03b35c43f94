"""One due item: what is owed per cover, what was received, and the one payment that collects it."""

from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from domain.invoices import commands as c
from domain.invoices import events as e
from domain.kernel.decider import Deciders, Thing, on_one
from domain.kernel.lines import Line
from domain.kernel.message import Event, Refused
from domain.kernel.money import Amount, Cents
from domain.kernel.transitions import step
from domain.kernel.value import Value

ReceivableFact: TypeAlias = (
    e.ReceivableRaised
    | e.CollectionReserved
    | e.CollectionReleased
    | e.ReceiptApplied
    | e.ReceiptReversed
    | e.ReceivableReduced
    | e.ReceiptRefunded
    | e.ReceiptRestored
)


class Status(StrEnum):
    """Whether a payment is collecting it."""

    NOTHING = "nothing"
    OPEN = "open"
    COLLECTING = "collecting"


S = Status
TRANSITIONS: dict[tuple[Status, str], Status] = {
    (S.NOTHING, "receivable-raised"): S.OPEN,
    (S.OPEN, "collection-reserved"): S.COLLECTING,
    (S.OPEN, "receivable-reduced"): S.OPEN,
    (S.COLLECTING, "receipt-applied"): S.COLLECTING,
    (S.COLLECTING, "receivable-reduced"): S.COLLECTING,
    (S.COLLECTING, "receipt-refunded"): S.COLLECTING,
    (S.COLLECTING, "receipt-restored"): S.COLLECTING,
    (S.COLLECTING, "receipt-reversed"): S.COLLECTING,
    (S.COLLECTING, "collection-released"): S.OPEN,
}


class Receivable(Value):
    """`owed` and `applied` in cents; `corrected` sums the corrections of each line."""

    status: Status = Status.NOTHING
    raised: e.ReceivableRaised | None = None
    owed: Cents = 0
    applied: Cents = 0
    corrected: tuple[Line, ...] = ()
    corrections: frozenset[str] = frozenset()
    collecting: str | None = None
    receipts: dict[str, Cents] = {}
    refunded: dict[str, Cents] = {}

    @property
    def expected(self) -> Cents:
        """What may still be received: all that was raised, less what came in."""
        raised = 0 if self.raised is None else self.raised.amount
        return raised - sum(self.receipts.values())

    @property
    def open(self) -> Cents:
        """Still to come. Negative while a reduction waits for its refund."""
        return self.owed - self.applied


def evolve(state: Receivable, event: ReceivableFact) -> Receivable:
    """Raises Impossible for an event this receivable cannot hold."""
    state = replace(state, status=step(TRANSITIONS, state.status, event.wire()))
    match event:
        case e.ReceivableRaised():
            nothing = tuple(replace(line, net=0, tax=0) for line in event.lines)
            return replace(state, raised=event, owed=event.amount, corrected=nothing)
        case e.CollectionReserved():
            return replace(state, collecting=event.payment_id)
        case e.CollectionReleased():
            return replace(state, collecting=None)
        case e.ReceiptApplied():
            receipts = {**state.receipts, event.payment_id: event.amount}
            return replace(state, applied=state.applied + event.amount, receipts=receipts)
        case e.ReceiptReversed():
            receipts = {**state.receipts, event.payment_id: 0}
            return replace(state, applied=state.applied - event.amount, receipts=receipts)
        case e.ReceivableReduced():
            corrected = tuple(
                replace(line, net=line.net + less.net, tax=line.tax + less.tax)
                for line, less in zip(state.corrected, event.lines, strict=True)
            )
            corrections = state.corrections | {event.correction_id}
            owed = state.owed - event.amount
            return replace(state, owed=owed, corrected=corrected, corrections=corrections)
        case e.ReceiptRefunded():
            refunded = {**state.refunded, event.refund_id: event.amount}
            return replace(state, applied=state.applied - event.amount, refunded=refunded)
        case e.ReceiptRestored():
            refunded = {**state.refunded, event.refund_id: 0}
            return replace(state, applied=state.applied + event.amount, refunded=refunded)
        case _:
            assert_never(event)


def apply_receipt(command: c.ApplyReceipt, receivable: Receivable) -> list[Event]:
    """[] when applied already. Refused beyond what was raised: a credit has no place yet. What was
    reduced before counts as raised: the money behind it came in, and its refund takes it off."""
    if command.payment_id in receivable.receipts:
        return []
    if command.payment_id != receivable.collecting:
        raise Refused("This payment does not collect this receivable.")
    if command.amount > receivable.expected:
        raise Refused(
            "%(amount)s is more than the %(open)s that are open.",
            amount=Amount(command.amount),
            open=Amount(receivable.expected),
        )
    return [
        e.ReceiptApplied(
            at=command.at,
            receivable_id=command.receivable_id,
            payment_id=command.payment_id,
            amount=command.amount,
        )
    ]


def reverse_receipt(command: c.ReverseReceipt, receivable: Receivable) -> list[Event]:
    """min(applied, returned) is open again, and so is the collection. [] when reversed already."""
    if receivable.collecting != command.payment_id:
        return []
    released = _released(command)
    amount = min(receivable.applied, command.amount)
    if amount <= 0:
        return [released]
    return [
        e.ReceiptReversed(
            at=command.at,
            receivable_id=command.receivable_id,
            payment_id=command.payment_id,
            amount=amount,
        ),
        released,
    ]


def release(command: c.ReleaseCollection, receivable: Receivable) -> list[Event]:
    """[] when this payment does not collect it any more."""
    return [_released(command)] if receivable.collecting == command.payment_id else []


def _released(command: c.ReverseReceipt | c.ReleaseCollection) -> e.CollectionReleased:
    return e.CollectionReleased(
        at=command.at, receivable_id=command.receivable_id, payment_id=command.payment_id
    )


def refund_receipt(command: c.RefundReceipt, receivable: Receivable) -> list[Event]:
    """[] when this refund was taken off already, or when the debit behind it was returned: its
    receipt is reversed, and what left us twice is a recovery."""
    if command.refund_id in receivable.refunded or receivable.collecting != command.payment_id:
        return []
    return [
        e.ReceiptRefunded(
            at=command.at,
            receivable_id=command.receivable_id,
            refund_id=command.refund_id,
            amount=command.amount,
        )
    ]


def restore_receipt(command: c.RestoreReceipt, receivable: Receivable) -> list[Event]:
    """[] when there is nothing to restore, or no receipt any more to restore it to."""
    taken_off = receivable.refunded.get(command.refund_id, 0)
    if not taken_off or receivable.collecting != command.payment_id:
        return []
    return [
        e.ReceiptRestored(
            at=command.at,
            receivable_id=command.receivable_id,
            refund_id=command.refund_id,
            amount=command.amount,
        )
    ]


def _id(command: c.ReceivableCommand) -> str:
    return command.receivable_id


RECEIVABLE = Thing(
    prefix="rcv",
    initial=Receivable,
    evolve=evolve,
    transitions=TRANSITIONS,
    events=(
        e.ReceivableRaised,
        e.CollectionReserved,
        e.CollectionReleased,
        e.ReceiptApplied,
        e.ReceiptReversed,
        e.ReceivableReduced,
        e.ReceiptRefunded,
        e.ReceiptRestored,
    ),
)
DECIDERS: Deciders = {
    c.ApplyReceipt: on_one(_id, Receivable, apply_receipt),
    c.ReverseReceipt: on_one(_id, Receivable, reverse_receipt),
    c.ReleaseCollection: on_one(_id, Receivable, release),
    c.RefundReceipt: on_one(_id, Receivable, refund_receipt),
    c.RestoreReceipt: on_one(_id, Receivable, restore_receipt),
}
