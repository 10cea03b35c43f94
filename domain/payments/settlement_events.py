"""What can be true of payouts, bank statements and their lines: the facts that settle payments."""

from datetime import date
from enum import StrEnum
from typing import ClassVar

from domain.kernel.ids import HOUSE
from domain.kernel.message import Event, Purpose, Sealed
from domain.kernel.money import Cents
from domain.kernel.value import Value


class ItemKind(StrEnum):
    """What a booking inside a payout is."""

    PAYMENT = "payment"
    REFUND = "refund"
    REFUND_FAILURE = "refund-failure"
    RETURN = "return"
    OTHER = "other"


class PayoutItem(Value):
    """One balance transaction; net is amount - fee. The ids are ours, None where it is not ours."""

    kind: ItemKind
    payment_id: str | None
    refund_id: str | None
    amount: Cents
    fee: Cents
    reference: str


class PayoutListed(Event):
    """The provider says what it pays out; `reference` is what the bank line will carry."""

    prefix = "po"
    payout_id: str
    provider: str
    provider_payout: str
    reference: str
    net: Cents
    items: tuple[PayoutItem, ...]


class PayoutArrived(Event):
    """A bank line carries the payout's reference."""

    prefix = "po"
    payout_id: str
    line_id: str
    amount: Cents


class PayoutSettled(Event):
    """Listed and arrived are equal to the cent."""

    prefix = "po"
    payout_id: str


class PayoutDiffers(Event):
    """Listed and arrived are not equal: a person explains it."""

    prefix = "po"
    payout_id: str
    listed: Cents
    arrived: Cents


class StatementImported(Event):
    """A bank statement whose sums were checked as a whole."""

    prefix = "st"
    statement_id: str
    account: str
    bank_reference: str
    sequence: int
    from_on: date
    to_on: date
    opening: Cents
    closing: Cents
    lines: int
    file_hash: str


class BalanceProved(Event):
    """Up to this day every booking on our account is in a statement, and this is its balance."""

    prefix = "acc"
    account_id: str
    statement_id: str
    to_on: date
    closing: Cents


class LineBooked(Event):
    """One line of a statement. Names and texts are personal data of people we may not know."""

    prefix = "ln"
    purpose: ClassVar[Purpose] = "house"
    line_id: str
    statement_id: str
    number: int
    amount: Cents
    booked_on: date
    value_on: date
    end_to_end_id: str | None
    bank_reference: str | None
    counterparty: Sealed[str]
    remittance: Sealed[str]

    @property
    def seal_subject(self) -> str:
        return HOUSE


class LineReserved(Event):
    """The whole line explains this payout."""

    prefix = "ln"
    line_id: str
    payout_id: str
    amount: Cents


class LineRepeated(Event):
    """Another line carries this payout's reference: what this money is, a person finds out."""

    prefix = "ln"
    line_id: str
    payout_id: str
    amount: Cents
