"""How a customer is shown: who it is, what moves next, and the recorded look at personal data.
Made from its rows; it asks the database nothing but the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from domain.kernel.money import Cents
from domain.readmodels.contract_queries import Money
from domain.readmodels.customer_queries import (
    Beside,
    CustomerDetail,
    Direction,
    Movement,
    movements,
)
from domain.readmodels.customers import CustomerRow
from webapp.access import security
from webapp.sentences import payment_state, refund_state
from webapp.sentences.telling import Tone
from webapp.showing.history import ID_CHARS
from webapp.showing.proposals import address
from webapp.texts import _, ngettext

KINDS: Final[dict[Literal["private", "business"], Callable[[], str]]] = {
    "private": lambda: _("Person"),
    "business": lambda: _("Company"),
}


@dataclass(frozen=True, slots=True)
class Moving:
    """A money movement to come: outgoing amounts are negative."""

    on: date
    what: str
    name: str
    url: str
    state: tuple[Tone, str]
    amount: Cents


def name(row: CustomerRow) -> str:
    return row.name or _("erased")


def heading(row: CustomerRow) -> str:
    """A page needs a name, also when the person's was erased."""
    return row.name or _("Customer %(number)s", number=row.number)


def kind(row: CustomerRow) -> str:
    return KINDS[row.kind]()


def address_lines(row: CustomerRow) -> list[str]:
    return [line for line in (row.street, f"{row.postcode} {row.city}".strip()) if line]


def moving(found: CustomerDetail) -> list[Moving]:
    return [_moving(one) for one in movements(found, security.today())]


def _moving(one: Movement) -> Moving:
    if one.payment:
        row = one.payment
        url = address("payments.detail", payment_id=row.payment_id) or ""
        what, thing, state = _("Payment"), row.payment_id, payment_state(row.status)
    elif one.refund:
        back = one.refund
        url = address("refunds.detail", refund_id=back.refund_id) or ""
        what, thing, state = _("Refund"), back.refund_id, refund_state(back.status)
    elif one.coming:
        coming = one.coming
        url = address("contracts.detail", contract_id=coming.contract_id) or ""
        what, thing, state = _("Instalment"), coming.contract_number, ("", _("To be billed"))
    else:
        raise TypeError("a movement of nothing")
    signed = one.amount if one.direction is Direction.IN else -one.amount
    return Moving(one.on, what, thing[:ID_CHARS], url, state, signed)


def told_beside(found: Beside) -> str:
    """`3 payments, none returned`"""
    if not found.payments:
        return _("No payments yet")
    counted = ngettext("%(count)s payment", "%(count)s payments", found.payments)
    if not found.returns and not found.failures:
        return _("%(payments)s, none returned", payments=counted)
    wrong = [
        ngettext("%(count)s returned", "%(count)s returned", found.returns)
        if found.returns
        else "",
        ngettext("%(count)s failed", "%(count)s failed", found.failures) if found.failures else "",
    ]
    return ", ".join([counted, *filter(None, wrong)])


def more_contracts(found: CustomerDetail) -> int:
    """How many contracts the page does not show."""
    return max(0, found.customer.contracts - len(found.contracts))


def told_money(money: Money) -> str:
    """The same for the customer's own page."""
    return told_beside(Beside(payments=money.payments, returns=money.returns, failures=0))
