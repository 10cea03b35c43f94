"""Payouts beside what arrived, bank statements with their lines, and which line explains which
payout. Nothing is decided from it."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from domain.kernel.message import Recorded
from domain.kernel.money import Cents
from domain.kernel.value import Value
from domain.payments import settlement_events as e
from domain.readmodels.model import ReadModel, Rows, Table
from domain.readmodels.words import fold, words_of


class PayoutState(StrEnum):
    LISTED = "listed"
    ARRIVED = "arrived"
    SETTLED = "settled"
    DIFFERS = "differs"


class PayoutRow(Value):
    """`listed` is what the provider says, `arrived` what the bank booked. `seen_position` is the
    place of its first event: payouts are listed newest first."""

    payout_id: str
    seen_position: int
    state: PayoutState
    provider: str | None = None
    provider_payout: str | None = None
    reference: str | None = None
    listed: Cents | None = None
    items: int = 0
    listed_at: datetime | None = None
    arrived: Cents | None = None
    arrived_at: datetime | None = None
    line_id: str | None = None
    compared_at: datetime | None = None


class ItemRow(Value):
    payout_id: str
    number: int
    kind: e.ItemKind
    payment_id: str | None
    refund_id: str | None
    amount: Cents
    fee: Cents
    reference: str


class StatementRow(Value):
    statement_id: str
    position: int
    account: str
    bank_reference: str
    sequence: int
    from_on: date
    to_on: date
    opening: Cents
    closing: Cents
    lines: int
    file_hash: str
    imported_at: datetime


class LineRow(Value):
    """Names and texts in clear: read models may. `words` is what the text filter looks at,
    `sorted_name` the counterparty as lists sort it."""

    line_id: str
    statement_id: str
    number: int
    amount: Cents
    booked_on: date
    value_on: date
    end_to_end_id: str | None
    bank_reference: str | None
    counterparty: str | None
    remittance: str | None
    words: tuple[str, ...]
    sorted_name: str
    payout_id: str | None = None


PAYOUT = Table(
    name="settlement_payout",
    row=PayoutRow,
    key=("payout_id",),
    columns="""
      payout_id text NOT NULL,
      seen_position bigint NOT NULL,
      state text NOT NULL,
      provider text,
      provider_payout text,
      reference text,
      listed bigint,
      items integer NOT NULL,
      listed_at timestamptz,
      arrived bigint,
      arrived_at timestamptz,
      line_id text,
      compared_at timestamptz
    """,
    indexes=("(seen_position)", "(state, seen_position)", "(provider_payout)"),
)
ITEM = Table(
    name="settlement_item",
    row=ItemRow,
    key=("payout_id", "number"),
    columns="""
      payout_id text NOT NULL,
      number integer NOT NULL,
      kind text NOT NULL,
      payment_id text,
      refund_id text,
      amount bigint NOT NULL,
      fee bigint NOT NULL,
      reference text NOT NULL
    """,
)
STATEMENT = Table(
    name="settlement_statement",
    row=StatementRow,
    key=("statement_id",),
    columns="""
      statement_id text NOT NULL,
      position bigint NOT NULL,
      account text NOT NULL,
      bank_reference text NOT NULL,
      sequence integer NOT NULL,
      from_on date NOT NULL,
      to_on date NOT NULL,
      opening bigint NOT NULL,
      closing bigint NOT NULL,
      lines integer NOT NULL,
      file_hash text NOT NULL,
      imported_at timestamptz NOT NULL
    """,
    indexes=("(position)", "(file_hash)"),
)
LINE = Table(
    name="settlement_line",
    row=LineRow,
    key=("line_id",),
    columns="""
      line_id text NOT NULL,
      statement_id text NOT NULL,
      number integer NOT NULL,
      amount bigint NOT NULL,
      booked_on date NOT NULL,
      value_on date NOT NULL,
      end_to_end_id text,
      bank_reference text,
      counterparty text,
      remittance text,
      words text[] NOT NULL,
      sorted_name text NOT NULL,
      payout_id text
    """,
    indexes=(
        "(statement_id, number)",
        "(booked_on, statement_id, number, line_id)",
        "(value_on, line_id)",
        "(sorted_name, line_id)",
        "(amount, line_id)",
        "((coalesce(end_to_end_id, '')), line_id)",
        "(booked_on, line_id) WHERE payout_id IS NULL",
        "USING gin (array_to_tsvector(words))",
    ),
)


def project(rows: Rows, recorded: Recorded) -> None:
    match recorded.event:
        case e.PayoutListed() as event:
            _listed(rows, recorded.feed_position, event)
        case e.PayoutArrived() as event:
            payout = _payout(rows, event.payout_id, recorded.feed_position, PayoutState.ARRIVED)
            rows.put(
                PAYOUT,
                msgspec.structs.replace(
                    payout, arrived=event.amount, arrived_at=event.at, line_id=event.line_id
                ),
            )
        case e.PayoutSettled(payout_id=payout_id, at=at):
            rows.change(PAYOUT, payout_id, state=PayoutState.SETTLED, compared_at=at)
        case e.PayoutDiffers(payout_id=payout_id, at=at):
            rows.change(PAYOUT, payout_id, state=PayoutState.DIFFERS, compared_at=at)
        case e.StatementImported() as event:
            _imported(rows, recorded.feed_position, event)
        case e.LineBooked() as event:
            _booked(rows, event)
        case e.LineReserved(line_id=line_id, payout_id=payout_id):
            rows.change(LINE, line_id, payout_id=payout_id)
        case _:
            pass


def _payout(rows: Rows, payout_id: str, position: int, first: PayoutState) -> PayoutRow:
    """The row, or a new one: either side may come first."""
    return rows.get(PAYOUT, payout_id) or PayoutRow(
        payout_id=payout_id, seen_position=position, state=first
    )


def _listed(rows: Rows, position: int, event: e.PayoutListed) -> None:
    payout = _payout(rows, event.payout_id, position, PayoutState.LISTED)
    rows.put(
        PAYOUT,
        msgspec.structs.replace(
            payout,
            provider=event.provider,
            provider_payout=event.provider_payout,
            reference=event.reference,
            listed=event.net,
            items=len(event.items),
            listed_at=event.at,
        ),
    )
    for number, item in enumerate(event.items, start=1):
        rows.put(
            ITEM,
            ItemRow(
                payout_id=event.payout_id,
                number=number,
                kind=item.kind,
                payment_id=item.payment_id,
                refund_id=item.refund_id,
                amount=item.amount,
                fee=item.fee,
                reference=item.reference,
            ),
        )


def _imported(rows: Rows, position: int, event: e.StatementImported) -> None:
    rows.put(
        STATEMENT,
        StatementRow(
            statement_id=event.statement_id,
            position=position,
            account=event.account,
            bank_reference=event.bank_reference,
            sequence=event.sequence,
            from_on=event.from_on,
            to_on=event.to_on,
            opening=event.opening,
            closing=event.closing,
            lines=event.lines,
            file_hash=event.file_hash,
            imported_at=event.at,
        ),
    )


def _booked(rows: Rows, event: e.LineBooked) -> None:
    rows.put(
        LINE,
        LineRow(
            line_id=event.line_id,
            statement_id=event.statement_id,
            number=event.number,
            amount=event.amount,
            booked_on=event.booked_on,
            value_on=event.value_on,
            end_to_end_id=event.end_to_end_id,
            bank_reference=event.bank_reference,
            counterparty=event.counterparty,
            remittance=event.remittance,
            words=words_of(
                event.counterparty, event.remittance, event.end_to_end_id, event.bank_reference
            ),
            sorted_name=fold(event.counterparty or ""),
        ),
    )


MODEL = ReadModel(
    name="settlement", version=2, tables=(PAYOUT, ITEM, STATEMENT, LINE), project=project
)
