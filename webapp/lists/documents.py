"""The list of documents, invoices and corrections: its filters and its columns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

from markupsafe import Markup

from domain.readmodels.invoice_queries import DOCUMENTS
from domain.readmodels.invoices import DocumentRow
from domain.readmodels.lists import Order
from webapp.format import day
from webapp.lists import Asked, Column, Listing
from webapp.lists import filters as f
from webapp.showing.document_view import KINDS, STANDINGS
from webapp.texts import N_, _

DAYS: Final[dict[str, tuple[Callable[[], str], Callable[[DocumentRow], date | None]]]] = {
    "issued": (lambda: _("Issued"), lambda row: row.issued_on),
    "due": (lambda: _("Due"), lambda row: row.due_on),
}
"""The date column, and what "from" and "to" are about; the names are sorts, too."""
STATES: Final = {"issued": "issued", "reduced": "reduced", "being-made": "being_made"}


def _kinds() -> list[tuple[str, str]]:
    return [(kind.value, words()) for kind, words in KINDS.items()]


def _states() -> list[tuple[str, str]]:
    """The document's own state; what was paid for it stands apart."""
    return [
        ("issued", _("issued")),
        ("reduced", _("reduced")),
        ("being-made", _("PDF is being made")),
    ]


def _standings() -> list[tuple[str, str]]:
    return [(standing.value, words()) for standing, (_tone, words) in STANDINGS.items()]


_FROM: Final = {name: f.day("from", "", f"{name}_from") for name in DAYS}
_TO: Final = {name: f.day("to", "", f"{name}_to") for name in DAYS}
LIST: Final = Listing(
    name="invoices",
    label=N_("Invoices"),
    endpoint="invoices.index",
    act="invoice.read",
    source=DOCUMENTS,
    order=Order(sort="issued", down=True),
    # A range of days stands together in the order of those days.
    order_when={f"day={name}": Order(sort=name, down=True) for name in DAYS},
    fields=(
        f.words("q", N_("Number, customer or contract"), "words", by_id=("cus", "customer_id")),
        f.choice("kind", N_("Kind"), _kinds, "kind", aside=True),
        f.flags("document", N_("Document"), _states, STATES, aside=True),
        f.several("payment", N_("Payment"), _standings, "standing", "standings"),
        f.amount("amount", N_("Gross"), "gross"),
        f.days_of("from", N_("From"), _FROM, "day"),
        f.days_of("to", N_("To"), _TO, "day"),
        f.view("day", N_("Day of"), lambda: [(name, one[0]()) for name, one in DAYS.items()]),
        f.amount("min", N_("Gross from"), "gross_min", aside=True),
        f.amount("max", N_("Gross to"), "gross_max", aside=True),
        f.text("contract", N_("Contract"), "contract_number", aside=True),
    ),
    columns=(
        Column(N_("Number"), "number"),
        Column(N_("Issued"), "issued"),
        Column(N_("Customer"), "customer"),
        Column(N_("Gross"), "gross", "num"),
        Column(N_("Paid"), "paid", "num"),
        Column(N_("Document")),
        Column(N_("Payment"), "payment"),
    ),
)


def day_kind(asked: Asked[DocumentRow]) -> str:
    """Which day the list is about; an unknown one is the day of issue."""
    chosen = asked.value("day")
    return chosen if chosen in DAYS else "issued"


def columns(kind: str) -> tuple[Column, ...]:
    """The date column is headed and sorted by the day that is shown."""
    first, _issued, *rest = LIST.columns
    return (first, Column(DAYS[kind][0](), kind), *rest)


def day_of(kind: str, row: DocumentRow) -> Markup:
    return day(DAYS[kind][1](row))
