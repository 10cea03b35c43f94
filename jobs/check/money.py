"""Invariants 4 and 28: what left us never exceeds what came in without a recovery, and nobody
approved their own refund or another content than was asked for."""

from collections.abc import Iterator

from domain.deciding import CODEC
from domain.kernel.ids import derive
from domain.kernel.message import Event
from domain.payments import events as e
from domain.payments.commands import RequestRefund
from domain.payments.payment import PAYMENT, Payment
from domain.payments.recovery import RECOVERY, Recovery
from domain.payments.request import content_hash
from domain.payments.rules import APPROVER_ROLES
from domain.stream import store, subscription
from domain.stream.database import Connection
from domain.stream.feed import position_of
from jobs.check.broken import Broken, streams_with

FLOW = "flow:collecting"


def reservations(connection: Connection) -> Iterator[Broken]:
    """4, first half: at each RefundReserved refunded + reserved <= collected - known losses."""
    for payment_id, events in streams_with(connection, "payment-scheduled", "pay"):
        state: object = PAYMENT.begin()
        for event in events:
            state = PAYMENT.rebuild([event], state)
            assert isinstance(state, Payment)
            if isinstance(event, e.RefundReserved):
                taken, there = state.refunded + state.reserved, state.collected - state.returned
                if taken > there:
                    yield Broken(
                        invariant="4",
                        subject=payment_id,
                        what=f"{taken} cents are refunded or reserved, {there} were there",
                    )


def recoveries(connection: Connection) -> Iterator[Broken]:
    """4, second half: what left us twice equals the recovery, once the flow has come that far."""
    reached = subscription.cursors(connection).get(FLOW, 0)
    parked = {one.stream for one in subscription.list_parked(connection) if one.consumer == FLOW}
    for payment_id, events in streams_with(connection, "payment-returned", "pay"):
        position = position_of(connection, [(payment_id, len(events))])
        if payment_id in parked or position is None or position > reached:
            continue
        state = PAYMENT.rebuild(events, PAYMENT.begin())
        recovery_id = derive("rec", payment_id, payment_id)
        found = store.load(connection, CODEC, [recovery_id])[recovery_id].events
        recovery = RECOVERY.rebuild(found, RECOVERY.begin())
        assert isinstance(state, Payment)
        assert isinstance(recovery, Recovery)
        if state.excess != recovery.amount:
            yield Broken(
                invariant="4",
                subject=payment_id,
                what=f"{state.excess} cents left us twice, the recovery says {recovery.amount}",
            )


def approvals(connection: Connection) -> Iterator[Broken]:
    """28: maker is not checker; the approved content is the requested one, and the sent one."""
    for refund_id, events in streams_with(connection, "refund-requested", "rf"):
        for what in _approval_faults(events):
            yield Broken(invariant="28", subject=refund_id, what=what)


def _approval_faults(events: list[Event]) -> Iterator[str]:
    requested: e.RefundRequested | None = None
    approved: e.RefundApproved | None = None
    for event in events:
        match event:
            case e.RefundRequested():
                requested = event
                if event.content_hash != _hash(event):
                    yield "the content hash is not that of the request"
            case e.RefundApproved() if requested is not None:
                approved = event
                yield from _faults(requested, event)
            case e.RefundSubmitted():
                if approved is None:
                    yield "it was sent without an approval"
                elif event.content_hash != approved.content_hash:
                    yield "another content was sent than was approved"
            case _:
                pass


def _faults(requested: e.RefundRequested, approved: e.RefundApproved) -> Iterator[str]:
    if approved.content_hash != requested.content_hash or approved.amount != requested.amount:
        yield "another content was approved than was requested"
    by_rule = approved.rule_version is not None
    if by_rule and requested.needs_approval:
        yield "it needed a person and was approved by rule"
    if not by_rule and approved.approved_by == requested.requested_by:
        yield "its requester approved it"
    if not by_rule and approved.role not in APPROVER_ROLES:
        yield f"the role {approved.role} approved it"


def _hash(requested: e.RefundRequested) -> str:
    return content_hash(
        RequestRefund(
            by=requested.requested_by,
            refund_id=requested.refund_id,
            payment_id=requested.payment_id,
            amount=requested.amount,
            reason=requested.reason,
            note="",
        )
    )
