"""The list of payments: its filters, its columns, and the day that its date column shows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from markupsafe import Markup

from domain.readmodels.lists import Order
from domain.readmodels.payment_queries import PAYMENTS
from domain.readmodels.payments import PaymentRow
from webapp import format as fmt
from webapp.lists import Asked, Column, Listing
from webapp.lists import filters as f
from webapp.sentences import PAYMENT_STATES
from webapp.texts import N_, _

REFUNDED: Final = {"yes": "with_refund", "no": "without_refund"}
DAYS: Final[dict[str, tuple[Callable[[], str], Callable[[PaymentRow], date | datetime | None]]]] = {
    "debit": (lambda: _("Debit"), lambda row: row.debit_on),
    "confirmed": (lambda: _("Confirmed"), lambda row: row.confirmed_at),
    "paid-out": (lambda: _("Paid out"), lambda row: row.paid_out_at),
    "settled": (lambda: _("On our account"), lambda row: row.settled_at),
    "returned": (lambda: _("Failed or returned"), lambda row: row.returned_at or row.failed_at),
}
"""The date column, and what "from" and "to" are about; the names are sorts, too."""


def _states() -> list[tuple[str, str]]:
    return [(status.value, words()) for status, (_tone, words) in PAYMENT_STATES.items()]


def _refunded() -> list[tuple[str, str]]:
    return [("yes", _("with a refund")), ("no", _("without a refund"))]


def _providers() -> list[tuple[str, str]]:
    return [("stripe", "Stripe")]


def _code(typed: str) -> f.Conditions:
    """Banks write their codes in capitals, people do not."""
    return {"code": typed if "-" in typed else typed.upper()}


_FROM: Final = {
    "debit": f.day("from", "", "debit_from"),
    **{
        name: f.instant_from("from", "", f"{name.replace('-', '_')}_from")
        for name in DAYS
        if name != "debit"
    },
}
_TO: Final = {
    "debit": f.day("to", "", "debit_to"),
    **{
        name: f.instant_to("to", "", f"{name.replace('-', '_')}_to")
        for name in DAYS
        if name != "debit"
    },
}
LIST: Final = Listing(
    name="payments",
    label=N_("Payments"),
    endpoint="payments.index",
    act="payment.read",
    source=PAYMENTS,
    order=Order(sort="debit", down=True),
    # A range of days stands together in the order of those days; by debit it may lie far behind.
    order_when={f"day={name}": Order(sort=name, down=True) for name in DAYS},
    fields=(
        f.several("status", N_("State"), _states, "status", "statuses"),
        f.words("customer", N_("Customer"), "customer_words", by_id=("cus", "customer_id")),
        f.either("contract", N_("Contract"), "contract_number", ("ct", "contract_id"), aside=True),
        f.amount("amount", N_("Amount"), "amount"),
        f.days_of("from", N_("From"), _FROM, "day"),
        f.days_of("to", N_("To"), _TO, "day"),
        f.view("day", N_("Day of"), lambda: [(name, one[0]()) for name, one in DAYS.items()]),
        f.amount("min", N_("Amount from"), "amount_min", aside=True),
        f.amount("max", N_("Amount to"), "amount_max", aside=True),
        f.text("reference", N_("Provider reference"), "reference", aside=True, size=16),
        f.text("invoice", N_("Invoice"), "invoice_number", aside=True),
        f.Field(
            name="code",
            label=N_("Code of failure or return"),
            read=f.one(_code),
            attrs={"size": 8},
            aside=True,
        ),
        f.flags("refunded", N_("Refunds"), _refunded, REFUNDED, aside=True),
        f.choice("provider", N_("Provider"), _providers, "provider", aside=True),
        f.by_id("payout", N_("Payout"), "payout_id", "po"),
    ),
    columns=(
        Column(N_("Payment")),
        Column(N_("Debit"), "debit"),
        Column(N_("Customer"), "customer"),
        Column(N_("Contract"), "contract"),
        Column(N_("State"), "status"),
        Column(N_("Refunded"), "refunded", "num"),
        Column(N_("Amount"), "amount", "num"),
    ),
)


def day_kind(asked: Asked[PaymentRow]) -> str:
    """Which day the list is about; an unknown one is the debit."""
    chosen = asked.value("day")
    return chosen if chosen in DAYS else "debit"


def columns(kind: str) -> tuple[Column, ...]:
    """The date column is headed and sorted by the day that is shown."""
    first, _debit, *rest = LIST.columns
    return (first, Column(DAYS[kind][0](), kind), *rest)


def day_of(kind: str, row: PaymentRow) -> Markup:
    value = DAYS[kind][1](row)
    return fmt.day_of(value) if isinstance(value, datetime) else fmt.day(value)
