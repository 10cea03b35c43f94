"""How a contract is shown: its plan in words, where billing stands, and the schedule from what was
billed to what comes. Made from its rows; it asks the database nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup, escape

from domain.contracts.events import Rounding
from domain.kernel.money import Cents
from domain.kernel.time import berlin_date
from domain.readmodels.contract_queries import Coming, ContractDetail, Scheduled, coming
from domain.readmodels.contracts import ContractRow
from domain.readmodels.payments import PaymentRow
from webapp import format as fmt
from webapp.access import security
from webapp.sentences import payment_state
from webapp.sentences.telling import Tone
from webapp.showing import document_view
from webapp.showing.payment_view import Step
from webapp.texts import _

COMING: Final = 3
"""Instalments to come that are shown: the next quarter of a monthly contract."""
RHYTHMS: Final[dict[int, Callable[[], str]]] = {
    1: lambda: _("yearly"),
    2: lambda: _("half-yearly"),
    4: lambda: _("quarterly"),
    12: lambda: _("monthly"),
}
ROUNDINGS: Final[dict[Rounding, Callable[[], str]]] = {
    Rounding.INSTALMENT_FIRST: lambda: _("each instalment is rounded, all are equal"),
    Rounding.ANNUAL_FIRST: lambda: _("the year is rounded, its instalments add up to it"),
}


@dataclass(frozen=True, slots=True)
class Due:
    """A line of the schedule. `open` is what is still to come of a billed instalment."""

    number: int
    due_on: date
    period: Markup
    amount: Cents
    state: tuple[Tone, str]
    announced: Markup
    debit_on: date
    invoice_id: str = ""
    invoice_number: str = ""
    payment_id: str = ""
    payment_state: tuple[Tone, str] | None = None
    coming: bool = False


def schedule(found: ContractDetail) -> list[Due]:
    """The last one to come first, the oldest shown last: like every other list of a contract."""
    ahead = [_coming(one) for one in coming(found.contract, COMING)]
    return [*reversed(ahead), *(_billed(one) for one in found.scheduled)]


def _coming(one: Coming) -> Due:
    due = one.instalment
    return Due(
        number=due.number + 1,
        due_on=due.due_on,
        period=_period(due.due_on, due.period_to),
        amount=due.amount,
        state=("", _("To come")),
        announced=_on(_("to be announced"), fmt.day(one.billed_on)),
        debit_on=one.debit_on,
        coming=True,
    )


def _billed(one: Scheduled) -> Due:
    billed, document, payment = one.instalment, one.document, one.payment
    state: tuple[Tone, str] = ("", _("billed"))
    return Due(
        number=billed.instalment + 1,
        due_on=billed.due_on,
        period=_period(billed.period_from, billed.period_to),
        amount=billed.amount,
        state=document_view.money_chip(document) if document else state,
        announced=_announced(payment),
        debit_on=payment.debit_on if payment else billed.due_on,
        invoice_id=billed.invoice_id if document else "",
        invoice_number=document.number if document else "",
        payment_id=billed.payment_id if payment else "",
        payment_state=payment_state(payment.status) if payment else None,
    )


def _announced(payment: PaymentRow | None) -> Markup:
    if payment is None or payment.announced_at is None:
        return escape(_("not announced yet"))
    return _on(_("announced"), fmt.day_of(payment.announced_at))


def _on(words: str, day: Markup) -> Markup:
    return Markup("{} {}").format(words, day)


def _period(first: date, last: date) -> Markup:
    """`01.12.–31.12.2026`, with the year of the first day where it is another one."""
    begin = fmt.day_text(first) if first.year != last.year else f"{first:%d.%m.}"
    return Markup('<span class="nowrap">{}–{}</span>').format(begin, fmt.day(last))


def pipeline(row: ContractRow) -> list[Step]:
    """From the signature to the next debit."""
    following = coming(row, 1)[0]
    begun = row.first_due_on <= security.today()
    steps: list[Step] = [
        ("done", _("Signed"), fmt.day_of(row.signed_at)),
        ("done" if begun else "now", _("Begins"), fmt.day(row.first_due_on)),
    ]
    if row.instalments:
        words = _("%(count)s billed so far", count=fmt.number(row.instalments))
        steps.append(("done", _("Last bill"), words))
    bill = "now" if begun or row.instalments else ""
    return [
        *steps,
        (bill, _("Next bill"), fmt.day(following.billed_on)),
        ("", _("Next debit"), fmt.day(following.debit_on)),
    ]


def chips(row: ContractRow) -> list[tuple[Tone, str]]:
    """Whether the cover runs; what is owed says `balance_view`."""
    if row.first_due_on > security.today():
        return [("", _("Begins on %(day)s", day=fmt.day_text(row.first_due_on)))]
    return [("good", _("Running"))]


def rhythm(row: ContractRow) -> str:
    return RHYTHMS[row.instalments_per_year]()


def rounding(row: ContractRow) -> str:
    return ROUNDINGS[row.rounding]()


def next_amount(row: ContractRow) -> Cents:
    return coming(row, 1)[0].instalment.amount


def since(row: ContractRow) -> date:
    return berlin_date(row.signed_at)
