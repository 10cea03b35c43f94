"""What may be decided about a payment on its way in: schedule, announce, submit, and the facts the
provider and the bank report. Refund decisions are in `refund`."""

import hashlib

from domain.kernel.decider import Deciders, on_many, on_one
from domain.kernel.message import Decision, Event, Refused, States
from domain.kernel.time import berlin_date, roll_to_target_day
from domain.payments import commands as c
from domain.payments import events as e
from domain.payments.mandate import Mandate
from domain.payments.payment import HeldState, Payment, Status
from domain.payments.rules import reversible_until

_OPEN = frozenset({Status.SUBMITTED, Status.OUTCOME_UNKNOWN, Status.ACCEPTED})


def _does_not_fit(payment: Payment) -> Refused:
    if payment.scheduled is None:
        return Refused("We have no such payment; the provider's news does not fit anything.")
    if payment.confirmed:
        return Refused("This payment was collected already; the provider's news does not fit.")
    if payment.status is Status.FAILED:
        return Refused("This payment failed; the provider's news does not fit.")
    return Refused("This payment was not sent yet; the provider's news does not fit.")


def schedule(command: c.SchedulePayment, payment: Payment) -> list[Event]:
    """[] when scheduled already."""
    if payment.scheduled is not None:
        return []
    return [
        e.PaymentScheduled(
            at=command.at,
            payment_id=command.payment_id,
            receivable_id=command.receivable_id,
            invoice_id=command.invoice_id,
            contract_id=command.contract_id,
            customer_id=command.customer_id,
            mandate_id=command.mandate_id,
            provider=command.provider,
            amount=command.amount,
            due_on=command.due_on,
            debit_on=command.debit_on,
            prenotification_days=command.prenotification_days,
        )
    ]


def announce(command: c.AnnouncePayment, payment: Payment) -> list[Event]:
    """Fails the payment when the notice is too late for the debit date (S6). [] when told."""
    if payment.scheduled is None:
        raise Refused("A payment is announced after it was scheduled.")
    if payment.status is not Status.SCHEDULED:
        return []
    notice_days = (command.debit_on - command.delivered_on).days
    if notice_days < payment.scheduled.prenotification_days:
        return [
            e.PaymentFailed(
                at=command.at, payment_id=command.payment_id, code="notice-late", raw_code=""
            )
        ]
    return [
        e.PaymentAnnounced(
            at=command.at,
            payment_id=command.payment_id,
            delivered_on=command.delivered_on,
            debit_on=command.debit_on,
        )
    ]


def submit(command: c.SubmitPayment, states: States) -> Decision:
    """Recorded before the call. A revoked mandate fails the payment and nothing is called.

    D is the announced day, or the day of sending where that is later, on a TARGET day.
    """
    payment = states.of(command.payment_id, Payment)
    mandate = states.of(command.mandate_id, Mandate)
    scheduled = payment.scheduled
    if payment.status is not Status.ANNOUNCED or scheduled is None or payment.debit_on is None:
        return []
    if not mandate.active:
        failed = e.PaymentFailed(
            at=command.at, payment_id=command.payment_id, code="mandate-revoked", raw_code=""
        )
        return [(command.payment_id, failed)]
    debit_on = max(payment.debit_on, roll_to_target_day(berlin_date(command.at)))
    content = f"{command.payment_id}|{scheduled.mandate_id}|{scheduled.amount}|{debit_on}"
    submitted = e.PaymentSubmitted(
        at=command.at,
        payment_id=command.payment_id,
        debit_on=debit_on,
        key=command.key,
        content_hash=hashlib.sha256(content.encode()).hexdigest(),
    )
    return [(command.payment_id, submitted)]


def accept(command: c.RecordPaymentAccepted, payment: Payment) -> list[Event]:
    """[] once the reference is known."""
    if payment.reference is not None or payment.status not in _OPEN:
        return []
    return [
        e.PaymentAccepted(at=command.at, payment_id=command.payment_id, reference=command.reference)
    ]


def lose_track(command: c.RecordPaymentUnknown, payment: Payment) -> list[Event]:
    """Unknown is a state; [] when it is known already or the provider answered meanwhile."""
    if payment.status is not Status.SUBMITTED:
        return []
    return [e.PaymentOutcomeUnknown(at=command.at, payment_id=command.payment_id, why=command.why)]


def fail(command: c.FailPayment, payment: Payment) -> list[Event]:
    """[] when failed already. Refused once money came in: then it can only be returned."""
    if payment.status is Status.FAILED:
        return []
    if payment.confirmed or payment.scheduled is None:
        raise _does_not_fit(payment)
    return [
        e.PaymentFailed(
            at=command.at,
            payment_id=command.payment_id,
            code=command.code,
            raw_code=command.raw_code,
        )
    ]


def confirm(command: c.ConfirmPayment, payment: Payment) -> list[Event]:
    """Also records the acceptance where the news overtook the answer. [] when confirmed."""
    if payment.confirmed:
        return []
    return _implied(command, payment)


def _implied(
    command: c.ConfirmPayment | c.ReturnPayment | c.MarkPaymentPaidOut, payment: Payment
) -> list[Event]:
    """The facts up to Confirmed that a later fact implies (STORY, "Facts are flags")."""
    if payment.confirmed:
        return []
    if payment.status not in _OPEN or payment.debit_on is None:
        raise _does_not_fit(payment)
    facts: list[Event] = []
    if payment.reference is None:
        accepted = e.PaymentAccepted(
            at=command.at, payment_id=command.payment_id, reference=command.reference
        )
        facts.append(accepted)
    confirmed = e.PaymentConfirmed(
        at=command.at,
        payment_id=command.payment_id,
        reversible_until=reversible_until(payment.debit_on),
    )
    return [*facts, confirmed]


def give_back(command: c.ReturnPayment, payment: Payment) -> list[Event]:
    """The debit was returned: every reservation not yet sent is void. [] when known already."""
    if payment.status is Status.RETURNED:
        return []
    facts = _implied(command, payment)
    returned = e.PaymentReturned(
        at=command.at,
        payment_id=command.payment_id,
        amount=command.amount,
        code=command.code,
        raw_code=command.raw_code,
        fee=command.fee,
    )
    released = [
        e.RefundReleased(
            at=command.at,
            payment_id=command.payment_id,
            refund_id=refund_id,
            cause=e.ReleaseCause.DEBIT_RETURNED,
        )
        for refund_id, held in payment.refunds.items()
        if held.state is HeldState.RESERVED
    ]
    return [*facts, returned, *released]


def pay_out(command: c.MarkPaymentPaidOut, payment: Payment) -> list[Event]:
    """[] when it lies in a payout already."""
    if payment.payout_id is not None:
        return []
    paid_out = e.PaymentPaidOut(
        at=command.at,
        payment_id=command.payment_id,
        payout_id=command.payout_id,
        fee=command.fee,
    )
    return [*_implied(command, payment), paid_out]


def settle(command: c.SettlePayment, payment: Payment) -> list[Event]:
    """[] when settled already. Refused before it lies in that payout."""
    if payment.settled:
        return []
    if payment.payout_id != command.payout_id:
        raise Refused("This payment does not lie in that payout.")
    return [
        e.PaymentSettled(at=command.at, payment_id=command.payment_id, payout_id=command.payout_id)
    ]


def _id(command: c.PaymentCommand) -> str:
    return command.payment_id


DECIDERS: Deciders = {
    c.SchedulePayment: on_one(_id, Payment, schedule),
    c.AnnouncePayment: on_one(_id, Payment, announce),
    c.SubmitPayment: on_many(submit),
    c.RecordPaymentAccepted: on_one(_id, Payment, accept),
    c.RecordPaymentUnknown: on_one(_id, Payment, lose_track),
    c.FailPayment: on_one(_id, Payment, fail),
    c.ConfirmPayment: on_one(_id, Payment, confirm),
    c.ReturnPayment: on_one(_id, Payment, give_back),
    c.MarkPaymentPaidOut: on_one(_id, Payment, pay_out),
    c.SettlePayment: on_one(_id, Payment, settle),
}
