"""What can be asked of payouts and bank statements."""

from datetime import date

from domain.kernel.ids import HOUSE, derive
from domain.kernel.message import Command
from domain.kernel.money import Cents
from domain.kernel.value import Value
from domain.payments.settlement_events import PayoutItem


def payout_id(provider: str, reference: str) -> str:
    """Either side may come first: both know the reference (STORY 5)."""
    return derive("po", HOUSE, provider, reference)


class ListPayout(Command):
    """`reference` is the payout's trace id; `net` is what the provider says it pays."""

    provider: str
    provider_payout: str
    reference: str
    net: Cents
    items: tuple[PayoutItem, ...]

    def streams(self) -> tuple[str, ...]:
        return (payout_id(self.provider, self.reference),)


class StatementLine(Value):
    """A line as parsed; `amount` is negative for a debit."""

    amount: Cents
    booked_on: date
    value_on: date
    end_to_end_id: str | None
    bank_reference: str | None
    counterparty: str
    remittance: str


class ImportStatement(Command):
    """One whole, checked statement: either everything is recorded or nothing."""

    account: str
    bank_reference: str
    sequence: int
    from_on: date
    to_on: date
    opening: Cents
    closing: Cents
    file_hash: str
    entries: tuple[StatementLine, ...]

    @property
    def statement_id(self) -> str:
        return derive("st", HOUSE, self.account, self.bank_reference)

    @property
    def account_id(self) -> str:
        return derive("acc", HOUSE, self.account)

    def line_id(self, number: int) -> str:
        return derive("ln", HOUSE, self.account, self.bank_reference, number)

    def streams(self) -> tuple[str, ...]:
        lines = (self.line_id(number) for number in range(1, len(self.entries) + 1))
        return (self.statement_id, self.account_id, *lines)


class MatchLine(Command):
    """A credit line that carries a reference explains the payout with that reference."""

    line_id: str
    provider: str
    reference: str
    amount: Cents

    def streams(self) -> tuple[str, ...]:
        return (self.line_id, payout_id(self.provider, self.reference))
