"""States and reasons as people read them. Every state has a tone and one or two words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain.payments.events import Reason
from domain.payments.payment import Status as PaymentStatus
from domain.payments.refund import Status as RefundStatus
from domain.payments.rules import REASONS
from webapp.sentences.telling import Tone
from webapp.texts import _, told_as

P, R = PaymentStatus, RefundStatus
PAYMENT_STATES: Final[dict[PaymentStatus, tuple[Tone, Callable[[], str]]]] = {
    P.SCHEDULED: ("", lambda: _("Scheduled")),
    P.ANNOUNCED: ("", lambda: _("Announced")),
    P.SUBMITTED: ("wait", lambda: _("Submitted")),
    P.OUTCOME_UNKNOWN: ("warn", lambda: _("Outcome unknown")),
    P.ACCEPTED: ("wait", lambda: _("Accepted")),
    P.CONFIRMED: ("good", lambda: _("Confirmed")),
    P.PAID_OUT: ("good", lambda: _("Paid out")),
    P.SETTLED: ("good", lambda: _("On our account")),
    P.FAILED: ("bad", lambda: _("Failed")),
    P.RETURNED: ("bad", lambda: _("Returned")),
}
REFUND_STATES: Final[dict[RefundStatus, tuple[Tone, Callable[[], str]]]] = {
    R.REQUESTED: ("wait", lambda: _("Waits for approval")),
    R.APPROVED: ("wait", lambda: _("Approved")),
    R.REJECTED: ("", lambda: _("Rejected")),
    R.WITHDRAWN: ("", lambda: _("Withdrawn")),
    R.EXPIRED: ("", lambda: _("Expired")),
    R.SUBMITTED: ("wait", lambda: _("Submitted")),
    R.OUTCOME_UNKNOWN: ("warn", lambda: _("Outcome unknown")),
    R.ACCEPTED: ("wait", lambda: _("Accepted")),
    R.CONFIRMED: ("good", lambda: _("Confirmed")),
    R.PAID_OUT: ("good", lambda: _("Paid out")),
    R.SETTLED: ("good", lambda: _("Settled")),
    R.FAILED: ("bad", lambda: _("Failed")),
}
_REASONS: Final[dict[Reason, Callable[[], str]]] = {
    Reason.PREMIUM_REDUCTION: lambda: _("premium reduction"),
    Reason.OVERPAYMENT: lambda: _("overpayment"),
    Reason.GOODWILL: lambda: _("goodwill"),
}

told_as({state: words for state, (_tone, words) in PAYMENT_STATES.items()}, PaymentStatus)
told_as({state: words for state, (_tone, words) in REFUND_STATES.items()}, RefundStatus)
told_as(_REASONS, Reason)


def payment_state(status: PaymentStatus) -> tuple[Tone, str]:
    tone, words = PAYMENT_STATES[status]
    return tone, words()


def refund_state(status: RefundStatus) -> tuple[Tone, str]:
    tone, words = REFUND_STATES[status]
    return tone, words()


def reason_name(reason: Reason) -> str:
    return _REASONS[reason]()


def reason_effect(reason: Reason) -> str:
    """What choosing this reason does, besides paying."""
    if REASONS[reason].corrects:
        return _("Makes a correction document; the invoice and what is owed fall by the amount.")
    return _("Makes no document; the invoice and what is owed stay as they are.")
