"""The table event type -> sentence, and what a sentence is. The modules beside it fill it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar, cast

from domain.invoices.events import CollectionReserved
from domain.kernel.message import Event
from domain.payments import events as paid
from domain.payments.rules import CodeRule, code_rule, refund_code_rule
from domain.payments.settlement_events import BalanceProved, LineReserved
from webapp.texts import _

Tone = Literal["", "good", "wait", "warn", "bad"]
E = TypeVar("E", bound=Event)

ECHOES: Final[frozenset[type[Event]]] = frozenset(
    {
        paid.RefundReserved,
        paid.RefundSent,
        paid.RefundReleased,
        paid.RefundBooked,
        paid.RefundUnbooked,
        CollectionReserved,
        LineReserved,
        BalanceProved,
    }
)
"""They repeat on their own stream what another event of the same statement says; a timeline over
both streams leaves them out."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """`note` is what a person wrote, shown as it is."""

    text: str
    tone: Tone = ""
    note: str = ""


_TABLE: dict[type[Event], Callable[[Event], Sentence]] = {}


def on(kind: type[E], words: Callable[[E], Sentence]) -> None:
    """Says how events of that type are told; each type has one sentence."""
    if kind in _TABLE:
        raise ValueError(f"{kind.__name__} has a sentence already")
    _TABLE[kind] = cast(Callable[[Event], Sentence], words)


def tell(event: Event) -> Sentence:
    """Raises KeyError for an event without a sentence; a test keeps that from happening."""
    return _TABLE[type(event)](event)


def told_types() -> Iterable[type[Event]]:
    return _TABLE.keys()


def reason_of(code: str, raw_code: str) -> str:
    """`The account is closed (AC04)`; an unknown code shows the provider's own word."""
    return _reason(code_rule(code), code, raw_code)


def refund_reason_of(code: str, raw_code: str) -> str:
    """The same for a refund that failed."""
    return _reason(refund_code_rule(code), code, raw_code)


def _reason(rule: CodeRule, code: str, raw_code: str) -> str:
    shown = (raw_code or code) if rule.action == "CASE" else code
    return f"{_(rule.meaning).rstrip('.')} ({shown})"
