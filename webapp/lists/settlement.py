"""The lists of payouts, bank statements and their lines: filters, columns, the words of states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain.readmodels.lists import Order
from domain.readmodels.settlement import PayoutState
from domain.readmodels.settlement_queries import LINES, PAYOUTS, STATEMENTS
from webapp.lists import Column, Listing
from webapp.lists import filters as f
from webapp.texts import N_, _

STATES: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    PayoutState.LISTED: ("wait", lambda: _("Listed, not arrived")),
    PayoutState.ARRIVED: ("warn", lambda: _("Arrived, not listed")),
    PayoutState.SETTLED: ("good", lambda: _("Settled")),
    PayoutState.DIFFERS: ("bad", lambda: _("Differs")),
}
EXPLAINED: Final = {"yes": "explained", "no": "unknown"}
WAYS: Final = {"in": "incoming", "out": "outgoing"}


def _states() -> list[tuple[str, str]]:
    return [(state, words()) for state, (_tone, words) in STATES.items()]


def _providers() -> list[tuple[str, str]]:
    return [("stripe", "Stripe")]


def _explained() -> list[tuple[str, str]]:
    return [("yes", _("belongs to a payout")), ("no", _("unknown"))]


def _ways() -> list[tuple[str, str]]:
    return [("in", _("incoming")), ("out", _("outgoing"))]


PAYOUT_LIST: Final = Listing(
    name="payouts",
    label=N_("Payouts"),
    endpoint="payouts.index",
    act="payment.read",
    source=PAYOUTS,
    order=Order(sort="seen", down=True),
    fields=(
        f.several("state", N_("State"), _states, "state", "states"),
        f.text("name", N_("Payout or bank reference"), "name", size=20),
        f.amount("amount", N_("Amount"), "amount"),
        f.instant_from("from", N_("Listed from"), "listed_from"),
        f.instant_to("to", N_("Listed to"), "listed_to"),
        f.instant_from("arrived-from", N_("Arrived from"), "arrived_from", aside=True),
        f.instant_to("arrived-to", N_("Arrived to"), "arrived_to", aside=True),
        f.choice("provider", N_("Provider"), _providers, "provider", aside=True),
    ),
    columns=(
        Column(N_("Payout"), "name"),
        Column(N_("Listed"), "listed"),
        Column(N_("Items"), "items", "num"),
        Column(N_("Listed amount"), "amount", "num"),
        Column(N_("Arrived"), "arrived"),
        Column(N_("Arrived amount"), "arrived-amount", "num"),
        Column(N_("State"), "state"),
    ),
)
STATEMENT_LIST: Final = Listing(
    name="statements",
    label=N_("Statements"),
    endpoint="statements.index",
    act="payment.read",
    source=STATEMENTS,
    order=Order(sort="imported", down=True),
    fields=(
        f.text("number", N_("Number"), "number", size=20),
        f.day("from", N_("Days from"), "covers_from"),
        f.day("to", N_("Days to"), "covers_to"),
        f.amount("closing", N_("Closing"), "closing"),
        f.instant_from("imported-from", N_("Imported from"), "imported_from", aside=True),
        f.instant_to("imported-to", N_("Imported to"), "imported_to", aside=True),
    ),
    columns=(
        Column(N_("Number"), "number"),
        Column(N_("From"), "from"),
        Column(N_("To"), "to"),
        Column(N_("Opening"), "opening", "num"),
        Column(N_("Closing"), "closing", "num"),
        Column(N_("Lines"), "lines", "num"),
        Column(N_("Imported"), "imported"),
    ),
)
LINE_LIST: Final = Listing(
    name="statement-lines",
    label=N_("Statement lines"),
    endpoint="statements.lines",
    act="payment.read",
    source=LINES,
    order=Order(sort="booked", down=True),
    fields=(
        f.words("q", N_("Who, purpose or reference"), "words"),
        f.flags("explained", N_("Explains"), _explained, EXPLAINED),
        f.flags("way", N_("Way"), _ways, WAYS),
        f.amount("amount", N_("Amount"), "amount"),
        f.day("from", N_("Booked from"), "booked_from"),
        f.day("to", N_("Booked to"), "booked_to"),
        f.by_id("statement", N_("Statement"), "statement_id", "st"),
        f.by_id("payout", N_("Payout"), "payout_id", "po"),
    ),
    columns=(
        Column(N_("Booked"), "booked"),
        Column(N_("Value"), "value"),
        Column(N_("Who"), "who"),
        Column(N_("Reference"), "reference"),
        Column(N_("Amount"), "amount", "num"),
        Column(N_("Explains")),
    ),
)
