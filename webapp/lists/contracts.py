"""The list of contracts: its filters and its columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from domain.customers.customer import CUSTOMER
from domain.kernel.ids import prefix_of
from domain.readmodels.contract_queries import SOURCE
from domain.readmodels.contracts import Standing
from domain.readmodels.lists import Order
from webapp.lists import Column, Listing
from webapp.lists import filters as f
from webapp.showing.contract_view import RHYTHMS
from webapp.texts import N_, _

STANDINGS: Final[dict[Standing, Callable[[], str]]] = {
    Standing.IN_ORDER: lambda: _("In order"),
    Standing.OPEN: lambda: _("Due or open again"),
    Standing.NOT_BILLED: lambda: _("Nothing billed yet"),
}


def _standings() -> list[tuple[str, str]]:
    return [(standing.value, words()) for standing, words in STANDINGS.items()]


def _rhythms() -> list[tuple[str, str]]:
    return [(str(count), words()) for count, words in RHYTHMS.items()]


_BY_CONTRACT: Final = f.words("q", "", "words", by_id=("ct", "contract_id"))
_BY_CUSTOMER: Final = f.words("q", "", "words", by_id=("cus", "customer_id"))


def _read_words(texts: Sequence[str], other: f.Other) -> f.Conditions:
    """Ids are pasted, too: that of the contract, or that of whom it belongs to."""
    by_customer = any(prefix_of(text) == CUSTOMER.prefix for text in texts)
    return (_BY_CUSTOMER if by_customer else _BY_CONTRACT).read(texts, other)


_WORDS: Final = replace(_BY_CONTRACT, label=N_("Number, name or product"), read=_read_words)
LIST: Final = Listing(
    name="contracts",
    label=N_("Contracts"),
    endpoint="contracts.index",
    act="customer.read",
    source=SOURCE,
    order=Order(sort="number"),
    fields=(
        _WORDS,
        f.choice("status", N_("Status"), _standings, "standing"),
        f.choice("rhythm", N_("Paid"), _rhythms, "rhythm"),
        f.day("from", N_("Next due from"), "due_from"),
        f.day("to", N_("Next due to"), "due_to"),
    ),
    columns=(
        Column(N_("Contract"), "number"),
        Column(N_("Customer"), "customer"),
        Column(N_("Product"), "product"),
        Column(N_("Status")),
        Column(N_("Next due"), "due"),
        Column(N_("A year"), "premium", "num"),
        Column(N_("Open"), "open", "num"),
    ),
)
