"""How a payment is shown: where it stands, what moved, which acts are possible. Made from its row
and its events; it asks the database nothing and decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from babel.dates import format_date
from markupsafe import Markup

from domain.kernel.ids import derive
from domain.kernel.message import Event, Refused
from domain.kernel.money import Cents
from domain.kernel.time import berlin
from domain.payments import commands as c
from domain.payments.events import Reason, RefundApproved
from domain.payments.payment import PAYMENT, Payment, Status
from domain.payments.refund import Status as RefundStatus
from domain.payments.request import check_amount
from domain.payments.rules import CodeRule, code_rule, refund_code_rule
from domain.readmodels.asking import Asking
from domain.readmodels.payment_queries import PaymentDetail
from domain.readmodels.payments import PaymentRow
from domain.readmodels.refunds import RefundRow
from domain.readmodels.stream import Entry
from domain.work.commands import case_id
from domain.work.events import CaseType
from webapp import format as fmt
from webapp.access import security
from webapp.languages import current
from webapp.sentences import ECHOES, Sentence, payment_state, tell, who
from webapp.sentences.codes import no_answer
from webapp.sentences.telling import Tone
from webapp.showing.asking import outage, outage_told, patience
from webapp.showing.asking import told as told_asking
from webapp.texts import _, sentence

MORNING = 6
"""When a worker submits on the debit day (STORY, 2)."""
_CASES = (
    CaseType.PAYMENT_FAILED,
    CaseType.PAYMENT_RETURNED,
    CaseType.OUTCOME_UNRESOLVED,
    CaseType.RECOVERY,
)
Step = tuple[str, str, Markup | str]
"""State (done, now, late or nothing), name, note: what `parts.pipeline` draws."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the money table; `booked` is empty while it has not happened."""

    label: str
    booked: Markup
    amount: Cents
    refund_id: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the timeline."""

    entry: Entry
    sentence: Sentence
    who: str


@dataclass(frozen=True, slots=True)
class Warning:
    """What is wrong, and what to do about it."""

    tone: Tone
    title: str
    body: Sequence[str]


def pipeline(row: PaymentRow) -> list[Step]:
    """Confirmed, paid out and on our account are three different things."""
    planned = berlin(row.debit_on, MORNING)
    way: list[tuple[str, Markup, Markup | str]] = [
        (_("Scheduled"), fmt.day_of(row.scheduled_at), ""),
        (_("Announced"), fmt.day_of(row.announced_at), _("when the invoice is delivered")),
        (_("Submitted"), fmt.when(row.submitted_at), _planned(fmt.when(planned))),
        (_("Confirmed"), fmt.day_of(row.confirmed_at), _awaited(row)),
        (_("Paid out"), fmt.day_of(row.paid_out_at), _("with one of the next payouts")),
        (_("On our account"), fmt.day_of(row.settled_at), _("when the bank statement shows it")),
    ]
    done: list[Step] = [("done", name, at) for name, at, _note in way if at]
    if row.failed_at:
        return [*done, ("late", _("Failed"), fmt.when(row.failed_at))]
    if row.returned_at:
        return [*done, ("late", _("Returned"), fmt.when(row.returned_at))]
    open_ = [(name, note) for name, at, note in way if not at]
    state = "late" if row.status is Status.OUTCOME_UNKNOWN else "now"
    ahead: list[Step] = [
        (state if n == 0 else "", name, note if n == 0 else "")
        for n, (name, note) in enumerate(open_)
    ]
    return done + ahead


def _planned(at: Markup) -> Markup:
    return Markup("{} {}").format(_("planned"), at)


def _awaited(row: PaymentRow) -> Markup | str:
    if row.status is Status.OUTCOME_UNKNOWN:
        return Markup("{} {}").format(_("no answer since"), fmt.when(row.unknown_at))
    return _("the provider has not confirmed yet")


def chips(detail: PaymentDetail) -> list[tuple[Tone, str]]:
    """The state of the payment and what is under way with its refunds."""
    row = detail.payment
    found: list[tuple[Tone, str]] = [payment_state(row.status)]
    states = {refund.status for refund in detail.refunds}
    if RefundStatus.REQUESTED in states:
        found.append(("wait", _("Refund waits for approval")))
    if states & {RefundStatus.APPROVED, RefundStatus.SUBMITTED, RefundStatus.ACCEPTED}:
        found.append(("wait", _("Refund on its way")))
    if RefundStatus.OUTCOME_UNKNOWN in states:
        found.append(("warn", _("Refund: outcome unknown")))
    if row.refunded:
        whole = row.refunded >= row.amount
        found.append(("", _("Refunded") if whole else _("Partly refunded")))
    return found


def warning(row: PaymentRow, asking: Asking | None) -> Warning | None:
    """What the code means and what to do, or that nobody knows the outcome."""
    if row.status is Status.OUTCOME_UNKNOWN:
        return _unanswered(row, row.payment_id, asking)
    if row.status not in (Status.FAILED, Status.RETURNED):
        return _outage(asking)
    rule = code_rule(row.code)
    return Warning("bad", _code_title(row, rule), [_(rule.what_to_do)])


def _unanswered(row: PaymentRow | RefundRow, our_id: str, asking: Asking | None) -> Warning:
    safe = _("It is asked by our reference; nothing is sent again before the answer is known.")
    return Warning(
        "warn",
        _("The provider has not answered (%(why)s).", why=no_answer(row.unknown_why)),
        [safe, *told_asking(asking, our_id)],
    )


def _outage(asking: Asking | None) -> Warning | None:
    silent = outage(asking)
    return None if silent is None else Warning("warn", outage_told(silent), [patience()])


def _code_title(row: PaymentRow | RefundRow, rule: CodeRule) -> str:
    values = {"meaning": _(rule.meaning), "code": row.code, "raw": row.raw_code}
    if row.raw_code and row.raw_code != row.code:
        return _("%(meaning)s Code %(code)s, the provider says %(raw)s.", **values)
    return _("%(meaning)s Code %(code)s.", **values)


def waits(row: PaymentRow) -> bool:
    """The provider has something to tell, so asking makes sense."""
    return row.status in (Status.SUBMITTED, Status.OUTCOME_UNKNOWN, Status.ACCEPTED)


def money(detail: PaymentDetail) -> tuple[list[Line], Cents, bool]:
    """The lines (gross, fee, what went back), their sum, and whether all of it has happened."""
    row = detail.payment
    came = row.amount if row.failed_at is None else 0
    lines = [Line(_premium(row), fmt.day_of(row.confirmed_at), came)]
    if row.fee:
        lines.append(Line(_("Fee of the provider"), fmt.day_of(row.paid_out_at), -row.fee))
    lines += [_refund_line(refund) for refund in detail.refunds if holds(refund)]
    if row.returned:
        lines.append(Line(_("Returned"), fmt.day_of(row.returned_at), -row.returned))
    if row.return_fee:
        lines.append(Line(_("Fee of the return"), fmt.day_of(row.returned_at), -row.return_fee))
    net = sum(line.amount for line in lines)
    return lines, net, all(line.booked for line in lines) or row.failed_at is not None


def _premium(row: PaymentRow) -> str:
    if row.period_from is None:
        return _("Premium")
    month = format_date(row.period_from, "MMMM yyyy", locale=current())
    return _("Premium, %(month)s", month=month)


def holds(refund: RefundRow) -> bool:
    """It keeps money of the payment: set aside, on its way, or gone."""
    over = (RefundStatus.REJECTED, RefundStatus.WITHDRAWN, RefundStatus.EXPIRED)
    return refund.status not in (*over, RefundStatus.FAILED)


def _refund_line(refund: RefundRow) -> Line:
    booked = fmt.day_of(refund.confirmed_at)
    return Line(_("Refund"), booked, -refund.amount, refund.refund_id)


def version(row_version: int, entries: Sequence[Entry]) -> str:
    """Changes with the rows, with the timeline (they follow the feed apart) and with the day."""
    newest = entries[0].feed_position if entries else 0
    return f"{row_version}.{newest}.{security.today():%Y%m%d}"


def streams(detail: PaymentDetail) -> list[str]:
    """Everything that belongs to the story of a payment."""
    row = detail.payment
    corrections = [refund.correction_id for refund in detail.refunds if refund.correction_id]
    recovery = derive("rec", row.payment_id, row.payment_id)
    refunds = [refund.refund_id for refund in detail.refunds]
    cases = [case_id(case_type, row.payment_id) for case_type in _CASES]
    own = [row.payment_id, row.receivable_id, row.invoice_id, recovery]
    return [*own, *refunds, *corrections, *cases]


def told(entries: Iterable[Entry], names: dict[str, str]) -> list[Told]:
    """The newest first, without the echoes."""
    return [
        Told(entry, tell(entry.event), who(_actor(entry), names))
        for entry in entries
        if type(entry.event) not in ECHOES
    ]


def _actor(entry: Entry) -> str:
    """Below the limit the rule approves in the requester's command."""
    by_rule = isinstance(entry.event, RefundApproved) and entry.event.rule_version is not None
    return "rule" if by_rule else entry.actor


def events_of(entries: Sequence[Entry], stream: str) -> list[Event]:
    """The oldest first, as a fold wants them."""
    return [entry.event for entry in reversed(entries) if entry.stream == stream]


def why_no_refund(detail: PaymentDetail, entries: Sequence[Entry]) -> str:
    """The decider's own refusal of the smallest refund, or nothing when one is possible."""
    row = detail.payment
    state = PAYMENT.rebuild(events_of(entries, row.payment_id), PAYMENT.begin())
    if not isinstance(state, Payment):
        raise TypeError(f"{row.payment_id} is no payment")
    wish = c.RequestRefund(
        at=security.now(),
        by="",
        refund_id="",
        payment_id=row.payment_id,
        amount=state.left or row.amount,
        reason=Reason.OVERPAYMENT,
        note="",
    )
    try:
        check_amount(wish, state)
    except Refused as refused:
        return sentence(refused)
    return ""


def refund_warning(refund: RefundRow, asking: Asking | None) -> Warning | None:
    """The same for a refund."""
    if refund.status is RefundStatus.OUTCOME_UNKNOWN:
        return _unanswered(refund, refund.refund_id, asking)
    if refund.status is not RefundStatus.FAILED:
        return _outage(asking)
    rule = refund_code_rule(refund.code)
    return Warning("bad", _code_title(refund, rule), [_(rule.what_to_do)])
