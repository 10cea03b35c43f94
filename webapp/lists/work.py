"""Work as a list: its tabs, filters and columns. What a tab holds depends on who looks and on the
day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from flask import g

from domain.readmodels.lists import Order
from domain.readmodels.work import CaseRow
from domain.readmodels.work_queries import CASES, Tab, of_tab
from webapp.access import security
from webapp.lists import Asked, Column, Listing
from webapp.lists import filters as f
from webapp.sentences import people
from webapp.sentences.work import CASE_TYPES
from webapp.texts import N_, _

TABS: Final[dict[Tab, Callable[[], str]]] = {
    Tab.MINE: lambda: _("Mine"),
    Tab.LATE: lambda: _("Late"),
    Tab.ALL: lambda: _("All"),
    Tab.SNOOZED: lambda: _("Snoozed"),
    Tab.CLOSED: lambda: _("Closed"),
}
NOBODY: Final = "nobody"


def actor() -> str:
    return f"staff:{g.staff.id}"


def tab_of(text: str) -> Tab:
    return Tab(text) if text in Tab.__members__.values() else Tab.ALL


def _tab(texts: Sequence[str], _other: f.Other) -> f.Conditions:
    return of_tab(tab_of(texts[0] if texts else ""), actor(), security.today())


def _types() -> list[tuple[str, str]]:
    return [(kind.value, words()) for kind, words in CASE_TYPES.items()]


def _owners() -> list[tuple[str, str]]:
    return [(NOBODY, _("nobody")), *people()]


def _owner(typed: str) -> f.Conditions:
    return {"nobody": True} if typed == NOBODY else {"owner": typed}


LIST: Final = Listing(
    name="work",
    label=N_("Work"),
    endpoint="work.index",
    act="case.read",
    source=CASES,
    order=Order(sort="urgency"),
    order_when={"tab=closed": Order(sort="closed", down=True)},
    fields=(
        f.Field(name="tab", label="", read=_tab, shape="hidden", counts=False),
        f.several("type", N_("What happened"), _types, "case_type", "case_types"),
        f.words("customer", N_("Customer"), "customer_words", by_id=("cus", "customer_id")),
        f.Field(
            name="owner",
            label=N_("Who"),
            read=f.one(_owner),
            shape="choice",
            options=_owners,
        ),
        f.day("until", N_("Deadline up to"), "until_to"),
        f.amount("min", N_("At risk from"), "amount_min"),
        f.day("until-from", N_("Deadline from"), "until_from", aside=True),
        f.amount("max", N_("At risk to"), "amount_max", aside=True),
        f.instant_from("from", N_("Open since, from"), "opened_from", aside=True),
        f.instant_to("to", N_("Open since, to"), "opened_to", aside=True),
        f.by_id("payment", N_("Payment id"), "payment_id", "pay"),
    ),
    columns=(
        Column(N_("What happened"), "type"),
        Column(N_("What to do")),
        Column(N_("Customer"), "customer"),
        Column(N_("At risk"), "amount", "num"),
        Column(N_("Until"), "urgency"),
        Column(N_("Since"), "opened", "wide"),
        Column(N_("Who"), "owner"),
    ),
)
ENDED: Final = Column(N_("How it ended"))
LAST: Final = {
    Tab.SNOOZED: Column(N_("Back on"), "back"),
    Tab.CLOSED: Column(N_("Closed"), "closed"),
}
"""What stands in the place of the deadline on some tabs."""


def current_tab(asked: Asked[CaseRow]) -> Tab:
    return tab_of(asked.value("tab"))


def columns(tab: Tab) -> tuple[Column, ...]:
    what, do, customer, risk, until, since, who = LIST.columns
    do = ENDED if tab is Tab.CLOSED else do
    return (what, do, customer, risk, LAST.get(tab, until), since, who)
