"""The simulator's fault set as a form: its fields, from the set to the fields and back. What each
fault does is written in the simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from webapp.simulator import Json
from webapp.texts import _

COUNT_MAX: Final = 10_000
CREATE_PAYMENT: Final = "payment_intents.create"
CREATE_REFUND: Final = "refunds.create"


@dataclass(frozen=True, slots=True)
class Fault:
    """One field. `path` leads to its value in the fault set; `words` is its label; `choices` are
    the provider's own words where it knows several, `meanings` ours for them. The first of those
    means that the fault is off."""

    path: tuple[str, ...]
    words: Callable[[], str]
    choices: tuple[str, ...] = ()
    meanings: Callable[[], tuple[str, ...]] | None = None
    switch: bool = False
    default: int | str | bool = 0

    @property
    def id(self) -> str:
        return "-".join(self.path).replace(".", "-").replace("_", "-")

    @property
    def label(self) -> str:
        return self.words()

    @property
    def options(self) -> list[tuple[str, str]]:
        """The provider's own words, not translated, where a choice has no meaning of ours."""
        words = self.choices if self.meanings is None else self.meanings()
        return list(zip(self.choices, words, strict=True))


@dataclass(frozen=True, slots=True)
class Group:
    words: Callable[[], str]
    fields: tuple[Fault, ...]

    @property
    def label(self) -> str:
        return self.words()


CHARGE_CODES: Final = (
    "insufficient_funds",
    "account_closed",
    "incorrect_account_details",
    "debit_not_authorized",
    "bank_cannot_process",
)
RETURN_REASONS: Final = (
    "customer_initiated",
    "insufficient_funds",
    "account_closed",
    "incorrect_account_details",
    "debit_not_authorized",
    "bank_cannot_process",
    "general",
)
REFUSALS: Final = ("balance_insufficient", "charge_already_refunded", "charge_disputed")
OUTAGES: Final = ("none", "rate_limited", "server_error", "blackhole", "garbage")
FAILURES: Final = ("declined", "expired_or_canceled_card", "insufficient_funds", "unknown")

GROUPS: Final = (
    Group(
        lambda: _("The line to Stripe"),
        (
            Fault(
                ("outage", "mode"),
                lambda: _("Until it is switched off, Stripe"),
                OUTAGES,
                meanings=lambda: (
                    _("answers as it should"),
                    _("says 429: too many calls"),
                    _("answers everything with 500"),
                    _("takes calls and never answers"),
                    _("answers with garbage, the work done"),
                ),
                default="none",
            ),
            Fault(
                ("outage", "retry_after_s"),
                lambda: _("and with 429 asks for so many seconds"),
                default=2,
            ),
            Fault(("lose_answers", CREATE_PAYMENT), lambda: _("Lose the answer to payments")),
            Fault(("lose_answers", CREATE_REFUND), lambda: _("Lose the answer to refunds")),
            Fault(("lose_requests", CREATE_PAYMENT), lambda: _("Cut payments before any work")),
            Fault(("lose_requests", CREATE_REFUND), lambda: _("Cut refunds before any work")),
            Fault(("store_500", CREATE_PAYMENT), lambda: _("Answer payments with a saved 500")),
            Fault(("store_500", CREATE_REFUND), lambda: _("Answer refunds with a saved 500")),
        ),
    ),
    Group(
        lambda: _("Debits"),
        (
            Fault(("fail_debits", "count"), lambda: _("Let debits fail")),
            Fault(
                ("fail_debits", "code"),
                lambda: _("with this code"),
                CHARGE_CODES,
                default="insufficient_funds",
            ),
            Fault(("return_debits", "count"), lambda: _("Let debits be returned")),
            Fault(
                ("return_debits", "reason"),
                lambda: _("for this reason"),
                RETURN_REASONS,
                default="customer_initiated",
            ),
            Fault(("return_debits", "after_days"), lambda: _("after so many bank days"), default=5),
        ),
    ),
    Group(
        lambda: _("Refunds"),
        (
            Fault(("refuse_refunds", "count"), lambda: _("Refuse refunds at once")),
            Fault(
                ("refuse_refunds", "code"),
                lambda: _("with this answer"),
                REFUSALS,
                default="balance_insufficient",
            ),
            Fault(("fail_refunds", "count"), lambda: _("Let refunds fail later")),
            Fault(
                ("fail_refunds", "reason"),
                lambda: _("for this cause"),
                FAILURES,
                default="declined",
            ),
            Fault(("fail_refunds", "after_days"), lambda: _("so many bank days later"), default=3),
        ),
    ),
    Group(
        lambda: _("Notifications and payouts"),
        (
            Fault(("webhooks", "duplicate"), lambda: _("Extra copies of each notification")),
            Fault(("webhooks", "delay_minutes"), lambda: _("Delay notifications by minutes")),
            Fault(
                ("webhooks", "shuffle"),
                lambda: _("Send them in no order"),
                switch=True,
                default=False,
            ),
            Fault(("webhooks", "lost"), lambda: _("Send none at all"), switch=True, default=False),
            Fault(("payout_short_cents",), lambda: _("The next payout arrives short by cents")),
        ),
    ),
)
_DETAILS: Final = ("after_days", "retry_after_s")
FIELDS: Final = tuple(fault for group in GROUPS for fault in group.fields)


def values(current: Json) -> dict[str, str]:
    """The fault set as the content of the fields."""
    return {fault.id: _shown(_at(current, fault)) for fault in FIELDS}


def active(current: Json) -> list[str]:
    """The faults that are on, in words; codes and days say nothing by themselves."""
    found = []
    for fault in FIELDS:
        value = _at(current, fault)
        if fault.meanings is not None and value != fault.default:
            found.append(f"{fault.label} {dict(fault.options).get(str(value), value)}")
        if fault.choices or fault.path[-1] in _DETAILS or not value:
            continue
        found.append(fault.label if fault.switch else f"{fault.label}: {value}")
    return found


def parse(form: Mapping[str, str]) -> tuple[Json, dict[str, str]]:
    """The whole fault set, and a sentence for each field that cannot be read."""
    order: Json = {}
    problems: dict[str, str] = {}
    for fault in FIELDS:
        value = _read(fault, form.get(fault.id, "").strip())
        if value is None:
            problems[fault.id] = _("Enter a whole number up to 10.000.")
            continue
        place = order
        for name in fault.path[:-1]:
            place = place.setdefault(name, {})
        place[fault.path[-1]] = value
    return order, problems


def _read(fault: Fault, typed: str) -> int | str | bool | None:
    if fault.switch:
        return typed == "on"
    if fault.choices:
        return typed if typed in fault.choices else fault.default
    if not typed:
        return fault.default
    number = int(typed) if typed.isascii() and typed.isdigit() else -1
    return number if 0 <= number <= COUNT_MAX else None


def _at(current: Json, fault: Fault) -> object:
    value: object = current
    for name in fault.path:
        value = value.get(name, fault.default) if isinstance(value, dict) else fault.default
    return value


def _shown(value: object) -> str:
    return ("on" if value else "") if isinstance(value, bool) else str(value)
