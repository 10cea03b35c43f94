"""How a refund is shown: where it stands, who may decide on it, what a preview would record. Made
from rows, events and the deciders' own answers; it records nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import g
from markupsafe import Markup

from domain.deciding import Preview
from domain.kernel.message import Command, Refused, States
from domain.kernel.money import Cents
from domain.payments import commands as c
from domain.payments.events import RefundRequested
from domain.payments.payment import PAYMENT
from domain.payments.refund import REFUND
from domain.payments.refund import Status as S
from domain.payments.request import DECIDERS
from domain.payments.rules import approval_limit
from domain.readmodels.payment_queries import PaymentDetail
from domain.readmodels.refunds import RefundRow
from domain.readmodels.stream import Entry
from domain.work.commands import case_id
from domain.work.events import CaseClosed, CaseType
from webapp import format as fmt
from webapp.access import security
from webapp.access.permissions import Role
from webapp.sentences import Sentence, follows, tell
from webapp.showing.payment_view import Step, events_of, holds
from webapp.texts import _, sentence

_CASES = (CaseType.REFUND_APPROVAL, CaseType.REFUND_FAILED, CaseType.OUTCOME_UNRESOLVED)


@dataclass(frozen=True, slots=True)
class Shown:
    """A preview in words; `needs_approval` with the sum that decides about it."""

    preview: Preview
    events: list[Sentence]
    follows: list[str]
    needs_approval: bool = False
    window: Cents = 0
    limit: Cents = 0


@dataclass(frozen=True, slots=True)
class Decisions:
    """Which acts are possible now, and while somebody has to decide, why the others are not."""

    approve: bool
    reject: bool
    withdraw: bool
    reasons: list[str]


def actor() -> str:
    return f"staff:{g.staff.id}"


def pipeline(row: RefundRow) -> list[Step]:
    way: list[tuple[str, Markup, Markup | str]] = [
        (_("Requested"), fmt.when(row.requested_at), ""),
        (_("Approved"), fmt.when(row.approved_at), _("a second person decides")),
        (_("Submitted"), fmt.when(row.submitted_at), _("a worker sends it")),
        (_("Confirmed"), fmt.day_of(row.confirmed_at), _("the provider has not confirmed yet")),
        (_("Paid out"), fmt.day_of(row.paid_out_at), _("with one of the next payouts")),
        (_("Settled"), fmt.day_of(row.settled_at), _("when the bank statement shows it")),
    ]
    done: list[Step] = [("done", name, at) for name, at, _note in way if at]
    if row.ended_at:
        return [*done, ("late", _ENDS[row.status](), fmt.when(row.ended_at))]
    state = "late" if row.status is S.OUTCOME_UNKNOWN else "now"
    open_ = [(name, note) for name, at, note in way if not at]
    ahead: list[Step] = [
        (state if n == 0 else "", name, note if n == 0 else "")
        for n, (name, note) in enumerate(open_)
    ]
    return done + ahead


_ENDS = {
    S.REJECTED: lambda: _("Rejected"),
    S.WITHDRAWN: lambda: _("Withdrawn"),
    S.EXPIRED: lambda: _("Expired"),
    S.FAILED: lambda: _("Failed"),
}


def streams(row: RefundRow) -> list[str]:
    """What the timeline and the deciders of this page look at."""
    correction = [row.correction_id] if row.correction_id else []
    cases = [case_id(case_type, row.refund_id) for case_type in _CASES]
    return [row.refund_id, row.payment_id, *correction, *cases]


def open_case(row: RefundRow, entries: Sequence[Entry]) -> str:
    """The id of the open case about a refund that went wrong, or nothing."""
    for case_type in (CaseType.REFUND_FAILED, CaseType.OUTCOME_UNRESOLVED):
        case = case_id(case_type, row.refund_id)
        told = events_of(entries, case)
        if told and not any(isinstance(event, CaseClosed) for event in told):
            return case
    return ""


def decisions(row: RefundRow, entries: Sequence[Entry]) -> Decisions:
    """Asks the deciders themselves, over the states that the shown events add up to."""
    states = States(
        {
            row.refund_id: REFUND.rebuild(events_of(entries, row.refund_id), REFUND.begin()),
            row.payment_id: PAYMENT.rebuild(events_of(entries, row.payment_id), PAYMENT.begin()),
        }
    )
    reasons: dict[str, None] = {}

    def possible(act: str, command: Command) -> bool:
        if not security.allowed(act):
            return False
        try:
            return bool(DECIDERS[type(command)](command, states))
        except Refused as refused:
            reasons[sentence(refused)] = None
            return False

    return Decisions(
        approve=possible("refund.approve", approval(row)),
        reject=possible("refund.reject", rejection(row, "")),
        withdraw=possible("refund.withdraw", withdrawal(row)),
        reasons=list(reasons) if row.status is S.REQUESTED else [],
    )


def approval(row: RefundRow) -> c.ApproveRefund:
    return c.ApproveRefund(
        at=security.now(),
        by=actor(),
        refund_id=row.refund_id,
        payment_id=row.payment_id,
        role=Role(g.staff.role).value,
    )


def rejection(row: RefundRow, remark: str) -> c.RejectRefund:
    return c.RejectRefund(
        at=security.now(),
        by=actor(),
        refund_id=row.refund_id,
        payment_id=row.payment_id,
        role=Role(g.staff.role).value,
        remark=remark,
    )


def withdrawal(row: RefundRow) -> c.WithdrawRefund:
    return c.WithdrawRefund(
        at=security.now(), by=actor(), refund_id=row.refund_id, payment_id=row.payment_id
    )


def shown(preview: Preview, detail: PaymentDetail | None = None) -> Shown:
    """What would be recorded, and what the flows would do next."""
    told = [tell(event) for _stream, event in preview.events]
    requested = [e for _stream, e in preview.events if isinstance(e, RefundRequested)]
    if not requested or detail is None:
        return Shown(preview, told, follows(preview.reactions))
    limit = approval_limit(security.now())
    return Shown(
        preview,
        told,
        follows(preview.reactions),
        needs_approval=requested[0].needs_approval,
        window=requested_within(detail, limit.window) + requested[0].amount,
        limit=limit.amount,
    )


def requested_within(detail: PaymentDetail, window: timedelta) -> Cents:
    """Refunds of this payment that count for the limit, before the one that is asked for."""
    since = security.now() - window
    return sum(
        refund.amount for refund in detail.refunds if holds(refund) and refund.requested_at >= since
    )


def moved(preview: Preview, seen: dict[str, int], entries: Sequence[Entry]) -> list[str]:
    """What happened in the previewed streams since somebody looked at them."""
    newer = [
        tell(entry.event).text
        for entry in reversed(entries)
        if entry.stream in seen and entry.version > seen[entry.stream]
    ]
    changed = any(seen.get(stream) != version for stream, version in preview.versions.items())
    if changed and seen:
        return newer or [_("Somebody else changed it a moment ago.")]
    return [_("The input is not the one that was previewed.")]
