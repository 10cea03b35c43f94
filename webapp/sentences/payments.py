"""Sentences for payments, refunds, mandates and recoveries."""

from __future__ import annotations

from domain.payments import events as e
from webapp.format import day_text, money
from webapp.sentences.codes import no_answer
from webapp.sentences.states import reason_name
from webapp.sentences.telling import Sentence, on, reason_of, refund_reason_of
from webapp.texts import _

on(
    e.MandateRegistered,
    lambda event: Sentence(
        _("Mandate %(reference)s registered", reference=event.reference), "good"
    ),
)
on(e.MandateRevoked, lambda event: Sentence(_("Mandate revoked: no debit any more"), "warn"))

on(
    e.PaymentScheduled,
    lambda event: Sentence(
        _(
            "Payment of %(amount)s scheduled for %(day)s",
            amount=money(event.amount),
            day=day_text(event.debit_on),
        )
    ),
)
on(
    e.PaymentAnnounced,
    lambda event: Sentence(
        _(
            "Direct debit announced on %(told)s for %(day)s",
            told=day_text(event.delivered_on),
            day=day_text(event.debit_on),
        )
    ),
)
on(
    e.PaymentSubmitted,
    lambda event: Sentence(_("Submitted with debit date %(day)s", day=day_text(event.debit_on))),
)
on(
    e.PaymentAccepted,
    lambda event: Sentence(
        _("The provider accepted the payment as %(reference)s", reference=event.reference)
        if event.reference
        else _("The provider accepted the payment")
    ),
)
on(
    e.PaymentOutcomeUnknown,
    lambda event: Sentence(
        _("The provider did not answer (%(why)s); it is asked again", why=no_answer(event.why)),
        "warn",
    ),
)
on(
    e.PaymentConfirmed,
    lambda event: Sentence(
        _(
            "The provider confirmed the payment; the customer's bank can return it until %(day)s",
            day=day_text(event.reversible_until),
        ),
        "good",
    ),
)
on(
    e.PaymentPaidOut,
    lambda event: Sentence(
        _("The payment lies in a payout; fee %(fee)s", fee=money(event.fee)), "good"
    ),
)
on(
    e.PaymentSettled,
    lambda event: Sentence(_("The payout stands on our bank statement"), "good"),
)
on(
    e.PaymentFailed,
    lambda event: Sentence(
        _("The payment failed: %(reason)s", reason=reason_of(event.code, event.raw_code)), "bad"
    ),
)
on(
    e.PaymentReturned,
    lambda event: Sentence(
        _(
            "The customer's bank returned %(amount)s: %(reason)s",
            amount=money(event.amount),
            reason=reason_of(event.code, event.raw_code),
        ),
        "bad",
    ),
)
on(
    e.RefundReserved,
    lambda event: Sentence(
        _("%(amount)s of the payment set aside for a refund", amount=money(event.amount)), "wait"
    ),
)
on(e.RefundSent, lambda event: Sentence(_("What was set aside is on its way back"), "wait"))
_RELEASED = {
    e.ReleaseCause.REJECTED: lambda: _("What was set aside is free again: refund rejected"),
    e.ReleaseCause.WITHDRAWN: lambda: _("What was set aside is free again: refund withdrawn"),
    e.ReleaseCause.EXPIRED: lambda: _("What was set aside is free again: nobody decided"),
    e.ReleaseCause.FAILED: lambda: _("What was set aside is free again: refund failed"),
    e.ReleaseCause.DEBIT_RETURNED: lambda: _(
        "What was set aside is void: the customer's bank returned the debit"
    ),
}
on(e.RefundReleased, lambda event: Sentence(_RELEASED[event.cause]()))
on(e.RefundBooked, lambda event: Sentence(_("The refund is taken off this payment"), "good"))
on(
    e.RefundUnbooked,
    lambda event: Sentence(_("The refund came back: its money is with the provider again"), "bad"),
)

on(
    e.RefundRequested,
    lambda event: Sentence(
        _(
            "Refund of %(amount)s requested (%(reason)s); a second person decides",
            amount=money(event.amount),
            reason=reason_name(event.reason),
        )
        if event.needs_approval
        else _(
            "Refund of %(amount)s requested (%(reason)s)",
            amount=money(event.amount),
            reason=reason_name(event.reason),
        ),
        "wait",
        event.note or "",
    ),
)
on(
    e.RefundApproved,
    lambda event: Sentence(
        _("Refund of %(amount)s approved", amount=money(event.amount))
        if event.rule_version is None
        else _(
            "Refund of %(amount)s approved by rule, version %(version)s",
            amount=money(event.amount),
            version=event.rule_version,
        ),
        "good",
    ),
)
on(e.RefundRejected, lambda event: Sentence(_("Refund rejected"), "warn", event.remark or ""))
on(e.RefundWithdrawn, lambda event: Sentence(_("Refund request withdrawn")))
on(e.RefundExpired, lambda event: Sentence(_("Refund request expired: nobody decided"), "warn"))
on(e.RefundSubmitted, lambda event: Sentence(_("Refund submitted to the provider"), "wait"))
on(
    e.RefundAccepted,
    lambda event: Sentence(
        _("The provider accepted the refund as %(reference)s", reference=event.reference)
        if event.reference
        else _("The provider accepted the refund")
    ),
)
on(
    e.RefundOutcomeUnknown,
    lambda event: Sentence(
        _(
            "The provider did not answer (%(why)s); it is asked before anything is sent",
            why=no_answer(event.why),
        ),
        "warn",
    ),
)
on(
    e.RefundConfirmed,
    lambda event: Sentence(_("The provider confirmed the refund"), "good"),
)
on(e.RefundPaidOut, lambda event: Sentence(_("The refund lies in a payout"), "good"))
on(
    e.RefundSettled,
    lambda event: Sentence(_("The payout with the refund stands on our bank statement"), "good"),
)
on(
    e.RefundFailed,
    lambda event: Sentence(
        _(
            "The refund failed after it was confirmed: %(reason)s",
            reason=refund_reason_of(event.code, event.raw_code),
        )
        if event.late
        else _(
            "The refund failed: %(reason)s", reason=refund_reason_of(event.code, event.raw_code)
        ),
        "bad",
    ),
)
on(
    e.RecoveryOpened,
    lambda event: Sentence(
        _("%(amount)s left us twice; the customer owes them back", amount=money(event.amount)),
        "bad",
    ),
)
on(
    e.RecoveryAdjusted,
    lambda event: Sentence(
        _("What left us twice is %(amount)s now", amount=money(event.amount)),
        "warn" if event.amount else "good",
    ),
)
