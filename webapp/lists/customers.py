"""The list of customers: its filters and its columns."""

from __future__ import annotations

from typing import Final

from domain.readmodels.customer_queries import SOURCE
from domain.readmodels.lists import Order
from webapp.lists import Column, Listing
from webapp.lists import filters as f
from webapp.showing.customer_view import KINDS
from webapp.texts import N_, _

MONEY: Final = {
    "open": "open",
    "credit": "credit",
    "owes-back": "owes_back",
    "no-contract": "no_contract",
}


def _kinds() -> list[tuple[str, str]]:
    return [(kind, words()) for kind, words in KINDS.items()]


def _money() -> list[tuple[str, str]]:
    return [
        ("open", _("Due or open again")),
        ("credit", _("Credit")),
        ("owes-back", _("Owes money back")),
        ("no-contract", _("No contract")),
    ]


LIST: Final = Listing(
    name="customers",
    label=N_("Customers"),
    endpoint="customers.index",
    act="customer.read",
    source=SOURCE,
    order=Order(sort="name"),
    fields=(
        f.words("q", N_("Name, number or city"), "words", by_id=("cus", "customer_id")),
        f.choice("kind", N_("Kind"), _kinds, "kind"),
        f.flags("money", N_("Money"), _money, MONEY),
    ),
    columns=(
        Column(N_("Name"), "name"),
        Column(N_("Number"), "number"),
        Column(N_("City"), "city"),
        Column(N_("Customer since"), "since"),
        Column(N_("Contracts"), "contracts", "num"),
        Column(N_("On its way"), "", "num"),
        Column(N_("Open"), "open", "num"),
    ),
)
