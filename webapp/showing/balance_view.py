"""The balance of a customer or a contract as people read it: each part with its amount and the list
behind it. It adds up: billed less reduced is paid, on its way, due and open again, less credit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import url_for

from domain.kernel.money import Cents
from domain.payments.payment import Status
from domain.payments.refund import CONFIRMED as WENT_BACK
from domain.readmodels.balance import FIELDS, Balance
from domain.readmodels.contract_queries import Money
from domain.readmodels.contracts import ContractRow
from domain.readmodels.customer_queries import GOING_BACK, ON_ITS_WAY
from domain.readmodels.invoices import Standing
from webapp.access import security
from webapp.sentences.telling import Tone
from webapp.texts import _


@dataclass(frozen=True, slots=True)
class Part:
    """One amount; `why` says what it means, `url` is the list with what it is made of."""

    name: str
    label: str
    why: str
    amount: Cents
    url: str = ""


@dataclass(frozen=True, slots=True)
class Whose:
    """How each list is asked for what belongs to one customer or one contract."""

    invoices: Mapping[str, str]
    payments: Mapping[str, str]
    refunds: Mapping[str, str]


def of_customer(customer_id: str) -> Whose:
    by = {"customer": customer_id}
    return Whose(invoices={"q": customer_id}, payments=by, refunds=by)


def of_contract(row: ContractRow) -> Whose:
    by = {"contract": row.contract_id}
    return Whose(invoices={"contract": row.number}, payments=by, refunds=by)


def parts(balance: Balance, money: Money, whose: Whose) -> list[Part]:
    """In the order of the sum; what went back stands beside it."""
    amounts = {name: getattr(balance, name) for name in FIELDS}
    amounts |= {name: -amounts[name] for name in LESS} | {"refunded": money.refunded}
    return [
        Part(name, words(), why(), amounts[name], listed(whose))
        for name, words, why, listed in PARTS
    ]


def _invoices(**filters: Any) -> Callable[[Whose], str]:
    return lambda whose: _listed("invoices.index", "invoice.read", {**whose.invoices, **filters})


def _payments(**filters: Any) -> Callable[[Whose], str]:
    return lambda whose: _listed("payments.index", "payment.read", {**whose.payments, **filters})


def _refunds(**filters: Any) -> Callable[[Whose], str]:
    return lambda whose: _listed("refunds.index", "payment.read", {**whose.refunds, **filters})


def _listed(endpoint: str, act: str, values: dict[str, Any]) -> str:
    return url_for(endpoint, **values) if security.allowed(act) else ""


LESS: Final = ("reduced", "credit")
"""They lower the sum on their side of it."""
Words = Callable[[], str]
PARTS: Final[tuple[tuple[str, Words, Words, Callable[[Whose], str]], ...]] = (
    ("billed", lambda: _("Billed"), lambda: _("all invoices"), _invoices(kind="invoice")),
    ("reduced", lambda: _("Reduced"), lambda: _("by corrections"), _invoices(kind="correction")),
    (
        "paid",
        lambda: _("Paid"),
        lambda: _("counted as received"),
        _invoices(kind="invoice", payment=Standing.PAID.value),
    ),
    (
        "on_its_way",
        lambda: _("On its way"),
        lambda: _("a payment collects it"),
        _payments(status=[one.value for one in ON_ITS_WAY]),
    ),
    (
        "due",
        lambda: _("Due"),
        lambda: _("nothing collects it"),
        _payments(status=Status.FAILED.value),
    ),
    (
        "open_again",
        lambda: _("Open again"),
        lambda: _("the bank took it back"),
        _payments(status=Status.RETURNED.value),
    ),
    (
        "credit",
        lambda: _("Credit"),
        lambda: _("more received than owed"),
        _refunds(status=[one.value for one in GOING_BACK]),
    ),
    (
        "refunded",
        lambda: _("Refunded"),
        lambda: _("went back to the customer"),
        _refunds(status=sorted(one.value for one in WENT_BACK)),
    ),
)


def standing(balance: Balance) -> tuple[Tone, str]:
    """Whether premiums come in, as a chip."""
    if balance.open_again:
        return "bad", _("Open again")
    if balance.due:
        return "warn", _("Due")
    if balance.billed:
        return "good", _("In order")
    return "", _("Nothing billed yet")


def chips(balance: Balance, owes_back: Cents) -> list[tuple[Tone, str]]:
    """The strongest fact first, then what is under way."""
    found = [standing(balance)]
    if balance.on_its_way:
        found.append(("wait", _("Money on its way")))
    if balance.credit:
        found.append(("wait", _("Credit")))
    if owes_back:
        found.append(("bad", _("Owes money back")))
    return found
