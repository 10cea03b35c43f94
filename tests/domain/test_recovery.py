"""RELIABILITY 4 and 5 as a property: refunds, a return and the provider's news in any order. Our
own decisions never exceed what was collected; what left us twice is exactly the recovery."""

from __future__ import annotations

from collections import Counter, deque
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.flows.collecting import COLLECTING
from domain.kernel.ids import derive
from domain.kernel.message import Command, Event, Refused
from domain.payments import commands as c
from domain.payments import events as e
from domain.payments.events import Reason
from domain.payments.payment import HeldState, Payment
from domain.payments.recovery import Recovery
from domain.payments.refund import Refund, Status
from tests.domain import facts as f
from tests.domain.properties import EXAMPLES
from tests.spec import World, make_id, reactions

COLLECTED = 250_00
RECOVERY = derive("rec", f.PAYMENT, f.PAYMENT)
REFUNDS = [make_id("rf", n) for n in range(4)]
STAFF = ["staff:mia", "staff:jon"]
_WAITS, _SENT, _BOOKED = {HeldState.RESERVED}, {HeldState.SENT}, {HeldState.BOOKED}
_FREE = {HeldState.RELEASED}
FITS: dict[Status, set[HeldState]] = {
    Status.NOTHING: set(),
    # A return voids the reservation first; the refund learns of it through the flow.
    Status.REQUESTED: _WAITS | _FREE,
    Status.APPROVED: _WAITS | _FREE,
    Status.REJECTED: _FREE,
    Status.WITHDRAWN: _FREE,
    Status.EXPIRED: _FREE,
    Status.SUBMITTED: _SENT,
    Status.OUTCOME_UNKNOWN: _SENT,
    Status.ACCEPTED: _SENT,
    Status.CONFIRMED: _BOOKED,
    Status.PAID_OUT: _BOOKED,
    Status.SETTLED: _BOOKED,
    Status.FAILED: {HeldState.RELEASED, HeldState.UNBOOKED},
}
refunds = st.sampled_from(REFUNDS)
NEWS = (
    c.SubmitRefund,
    c.RecordRefundAccepted,
    c.RecordRefundUnknown,
    c.ConfirmRefund,
    c.FailRefund,
    c.MarkRefundPaidOut,
    c.SettleRefund,
    c.ExpireRefund,
)


class Money(RuleBasedStateMachine):
    """One confirmed payment; the flow's commands wait in a queue, as they do in the feed."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.queue: deque[Command] = deque()
        self.flags = (False, False, False, False)
        self.now = f.REFUND_DAY

    @initialize()
    def confirmed(self) -> None:
        self.world = World(f.payment_until("confirmed", amount=COLLECTED))

    def send(self, command: Command) -> None:
        """Refusals change nothing; a repeated command decides nothing."""
        self.now += timedelta(hours=7)
        command = command.stamped(self.now)
        try:
            events = self.world.decide(command)
        except Refused:
            return
        for event in events:
            self.world.record(event)
            self.queue.extend(
                reaction
                for reaction in reactions(COLLECTING, self.world.events)
                if isinstance(reaction, c.AdjustRecovery | c.FailRefund)
            )
            if isinstance(event, e.RefundReserved):
                payment = self.payment
                ours = payment.refunded + payment.reserved
                assert ours <= payment.collected - payment.returned
        assert self.world.decide(command) == []

    @property
    def payment(self) -> Payment:
        payment = self.world.state(f.PAYMENT)
        assert isinstance(payment, Payment)
        return payment

    def refund(self, refund_id: str) -> Refund:
        refund = self.world.state(refund_id)
        assert isinstance(refund, Refund)
        return refund

    @rule(
        refund_id=refunds,
        amount=st.integers(1, COLLECTED),
        reason=st.sampled_from(Reason),
        by=st.sampled_from(STAFF),
    )
    def request(self, refund_id: str, amount: int, reason: Reason, by: str) -> None:
        self.send(f.request(amount, refund_id=refund_id, reason=reason, by=by))

    @rule(refund_id=refunds, by=st.sampled_from(STAFF))
    def approve(self, refund_id: str, by: str) -> None:
        self.send(f.approve(refund_id=refund_id, by=by))

    @rule(
        refund_id=refunds,
        by=st.sampled_from(STAFF),
        kind=st.sampled_from([c.RejectRefund, c.WithdrawRefund]),
    )
    def decline(self, refund_id: str, by: str, kind: type[c.RefundCommand]) -> None:
        self.send(f.of_refund(kind, refund_id=refund_id, by=by))

    @rule(refund_id=refunds, kind=st.sampled_from(NEWS))
    def happens(self, refund_id: str, kind: type[c.RefundCommand]) -> None:
        """Also what makes no sense yet; what a worker or a flow can never send is left out."""
        if self.refund(refund_id).requested is not None:
            self.send(f.of_refund(kind, refund_id=refund_id))

    @rule(command=st.sampled_from([f.give_back(COLLECTED), f.PAY_OUT, f.SETTLE, f.CONFIRM]))
    def news_of_the_payment(self, command: c.PaymentCommand) -> None:
        self.send(command)

    @rule()
    def flow(self) -> None:
        if self.queue:
            self.send(self.queue.popleft())

    @invariant()
    def excess_is_the_recovery(self) -> None:
        recovery = self.world.state(RECOVERY)
        if not self.queue and self.payment.scheduled is not None:
            assert isinstance(recovery, Recovery)
            assert recovery.amount == self.payment.excess

    @invariant()
    def nothing_but_a_return_makes_an_excess(self) -> None:
        payment = self.payment
        if not payment.returned:
            assert payment.excess == 0
            assert payment.refunded + payment.reserved + payment.left == payment.collected

    @invariant()
    def a_reservation_ends_once(self) -> None:
        kinds = Counter(
            (event.refund_id, type(event))
            for event in self.world.events
            if isinstance(event, e.RefundReleased | e.RefundBooked | e.RefundUnbooked)
        )
        for refund_id in REFUNDS:
            released, booked, unbooked = (
                kinds[refund_id, kind]
                for kind in (e.RefundReleased, e.RefundBooked, e.RefundUnbooked)
            )
            assert released + booked <= 1
            assert unbooked <= booked

    @invariant()
    def refund_and_payment_agree(self) -> None:
        for refund_id, held in self.payment.refunds.items():
            assert held.state in FITS[self.refund(refund_id).status]

    @invariant()
    def facts_stay(self) -> None:
        payment = self.payment
        flags = (
            payment.confirmed,
            payment.payout_id is not None,
            payment.settled,
            bool(payment.returned),
        )
        assert all(now or not before for before, now in zip(self.flags, flags, strict=True))
        self.flags = flags

    @invariant()
    def maker_is_not_checker(self) -> None:
        requested = {
            event.refund_id: event.requested_by
            for event in self.world.events
            if isinstance(event, e.RefundRequested)
        }
        approved = _approved(self.world.events)
        assert all(requested[event.refund_id] != event.approved_by for event in approved)

    def teardown(self) -> None:
        while self.queue:
            self.send(self.queue.popleft())
        self.excess_is_the_recovery()


def _approved(events: list[Event]) -> list[e.RefundApproved]:
    return [event for event in events if isinstance(event, e.RefundApproved)]


TestMoney = Money.TestCase
TestMoney.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=40, deadline=None, database=None
)
