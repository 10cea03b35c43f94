"""Search: everything that a few typed words or an amount could mean, grouped by kind. It finds; the
pages behind its links decide who may look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Response, current_app, request, url_for

from domain.kernel.message import Refused
from domain.kernel.money import Cents
from domain.readmodels.search import Group, Kind, ThingRow, find
from webapp import fragments
from webapp.access import security
from webapp.access.permissions import permitted
from webapp.format import parse_amount
from webapp.kontor import kontor
from webapp.lists import Listing, contracts, customers, documents, payments, refunds
from webapp.texts import _, sentence
from webapp.typed import typed

blueprint = Blueprint("search", __name__, url_prefix="/search")
TEXT_CHARS_MAX: Final = 200
NAMES: Final[dict[Kind, Callable[[], str]]] = {
    Kind.CUSTOMER: lambda: _("Customers"),
    Kind.CONTRACT: lambda: _("Contracts"),
    Kind.INVOICE: lambda: _("Invoices"),
    Kind.CORRECTION: lambda: _("Corrections"),
    Kind.PAYMENT: lambda: _("Payments"),
    Kind.REFUND: lambda: _("Refunds"),
}
# Kind -> endpoint, its argument, and the act that opens it.
PLACES: Final[dict[Kind, tuple[str, str, str]]] = {
    Kind.CUSTOMER: ("customers.detail", "customer_id", "customer.read"),
    Kind.CONTRACT: ("contracts.detail", "contract_id", "customer.read"),
    Kind.INVOICE: ("invoices.detail", "document_id", "invoice.read"),
    Kind.CORRECTION: ("invoices.detail", "document_id", "invoice.read"),
    Kind.PAYMENT: ("payments.detail", "payment_id", "payment.read"),
    Kind.REFUND: ("refunds.detail", "refund_id", "payment.read"),
}

# Kind -> the list that holds all of them, and its filters for a text and for an amount. What a list
# cannot filter like that has no link.
LISTS: Final[dict[Kind, tuple[Listing[Any], str, str]]] = {
    Kind.CUSTOMER: (customers.LIST, "q", ""),
    Kind.CONTRACT: (contracts.LIST, "q", ""),
    Kind.INVOICE: (documents.LIST, "q", "amount"),
    Kind.CORRECTION: (documents.LIST, "q", "amount"),
    Kind.PAYMENT: (payments.LIST, "customer", "amount"),
    Kind.REFUND: (refunds.LIST, "customer", "amount"),
}


@blueprint.get("")
@permitted("search")
def index() -> Response:
    text = typed(request.args.get("q"), TEXT_CHARS_MAX)
    amount, question = _amount(text)
    with kontor().read() as connection:
        groups = find(connection, text, amount)
    return fragments.page_or_part(
        "search/index.html",
        "search/_results.html",
        200,
        text=text,
        question=question,
        groups=groups,
        names={kind: words() for kind, words in NAMES.items()},
        place=place,
        label=label,
        whole=lambda group: whole(group, text, amount) if group.count > len(group.rows) else "",
    )


def _amount(text: str) -> tuple[Cents | None, str]:
    """An amount with two readings is a question; a text that is none is no mistake here."""
    try:
        return parse_amount(text), ""
    except Refused as refused:
        return None, sentence(refused) if "decimals" in refused.values else ""


def place(row: ThingRow) -> str:
    """The address of what was found, or nothing where there is no page for this person."""
    endpoint, argument, act = PLACES[row.kind]
    if endpoint not in current_app.view_functions or not security.allowed(act):
        return ""
    values: dict[str, Any] = {argument: row.thing}
    return url_for(endpoint, **values)


def whole(group: Group, text: str, amount: Cents | None) -> str:
    """The address of the list with everything of this kind; nothing where there is none."""
    if group.kind not in LISTS or not security.allowed(LISTS[group.kind][0].act):
        return ""
    listing, by_text, by_amount = LISTS[group.kind]
    name = by_text if amount is None else by_amount
    # Two kinds share a list.
    kind = group.kind.value if listing is documents.LIST else None
    values: dict[str, Any] = {name: text, "kind": kind}
    return url_for(listing.endpoint, **values) if name else ""


def label(row: ThingRow) -> str:
    """Ids are shown as far as people compare them."""
    ids = (Kind.PAYMENT, Kind.REFUND)
    return row.label[:14] if row.kind in ids else row.label or _("erased")
