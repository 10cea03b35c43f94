"""Explaining the bank account: a payout is settled when what the provider listed and what the bank
booked are equal to the cent (ARCHITECTURE, "One vocabulary")."""

from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from domain.kernel.decider import Deciders, Thing, on_many, on_one
from domain.kernel.message import Decision, Event, Refused, States
from domain.kernel.money import Cents
from domain.kernel.transitions import step
from domain.kernel.value import Value
from domain.payments import settlement_commands as c
from domain.payments import settlement_events as e
from domain.payments.account import Account, follow_on

PayoutFact: TypeAlias = e.PayoutListed | e.PayoutArrived | e.PayoutSettled | e.PayoutDiffers
LineFact: TypeAlias = e.LineBooked | e.LineReserved | e.LineRepeated


class PayoutStatus(StrEnum):
    """Listed and arrived come in any order; the second one decides."""

    NOTHING = "nothing"
    LISTED = "listed"
    ARRIVED = "arrived"
    BOTH = "both"
    SETTLED = "settled"
    DIFFERS = "differs"


P = PayoutStatus
PAYOUT_TRANSITIONS: dict[tuple[PayoutStatus, str], PayoutStatus] = {
    (P.NOTHING, "payout-listed"): P.LISTED,
    (P.NOTHING, "payout-arrived"): P.ARRIVED,
    (P.LISTED, "payout-arrived"): P.BOTH,
    (P.ARRIVED, "payout-listed"): P.BOTH,
    (P.BOTH, "payout-settled"): P.SETTLED,
    (P.BOTH, "payout-differs"): P.DIFFERS,
}


class Payout(Value):
    status: PayoutStatus = PayoutStatus.NOTHING
    listed: e.PayoutListed | None = None
    arrived: e.PayoutArrived | None = None

    @property
    def waiting(self) -> bool:
        """One side is still missing."""
        return self.status in (PayoutStatus.LISTED, PayoutStatus.ARRIVED)


def evolve_payout(state: Payout, event: PayoutFact) -> Payout:
    moved = replace(state, status=step(PAYOUT_TRANSITIONS, state.status, event.wire()))
    match event:
        case e.PayoutListed():
            return replace(moved, listed=event)
        case e.PayoutArrived():
            return replace(moved, arrived=event)
        case e.PayoutSettled() | e.PayoutDiffers():
            return moved
        case _:
            assert_never(event)


class StatementStatus(StrEnum):
    NOTHING = "nothing"
    IMPORTED = "imported"


STATEMENT_TRANSITIONS: dict[tuple[StatementStatus, str], StatementStatus] = {
    (StatementStatus.NOTHING, "statement-imported"): StatementStatus.IMPORTED,
}


class Statement(Value):
    """`file_hash` is None before the import."""

    status: StatementStatus = StatementStatus.NOTHING
    file_hash: str | None = None


def evolve_statement(state: Statement, event: e.StatementImported) -> Statement:
    status = step(STATEMENT_TRANSITIONS, state.status, event.wire())
    match event:
        case e.StatementImported():
            return Statement(status=status, file_hash=event.file_hash)
        case _:
            assert_never(event)


class LineStatus(StrEnum):
    NOTHING = "nothing"
    BOOKED = "booked"
    RESERVED = "reserved"
    REPEATED = "repeated"


LINE_TRANSITIONS: dict[tuple[LineStatus, str], LineStatus] = {
    (LineStatus.NOTHING, "line-booked"): LineStatus.BOOKED,
    (LineStatus.BOOKED, "line-reserved"): LineStatus.RESERVED,
    (LineStatus.BOOKED, "line-repeated"): LineStatus.REPEATED,
}


class Line(Value):
    """`reserved` is what it explains: all of it or, so far, nothing."""

    status: LineStatus = LineStatus.NOTHING
    booked: e.LineBooked | None = None
    reserved: Cents = 0


def evolve_line(state: Line, event: LineFact) -> Line:
    moved = replace(state, status=step(LINE_TRANSITIONS, state.status, event.wire()))
    match event:
        case e.LineBooked():
            return replace(moved, booked=event)
        case e.LineReserved():
            return replace(moved, reserved=event.amount)
        case e.LineRepeated():
            return moved
        case _:
            assert_never(event)


def list_payout(command: c.ListPayout, payout: Payout) -> list[Event]:
    """[] when listed already. Refused when the items do not add up to the net."""
    if payout.listed is not None:
        return []
    whole = sum(item.amount - item.fee for item in command.items)
    if whole != command.net:
        raise Refused(
            "The items of payout %(payout)s do not add up to its net.",
            payout=command.provider_payout,
        )
    payout_id = command.streams()[0]
    listed = e.PayoutListed(
        at=command.at,
        payout_id=payout_id,
        provider=command.provider,
        provider_payout=command.provider_payout,
        reference=command.reference,
        net=command.net,
        items=command.items,
    )
    return [listed, *_compare(command, payout_id, command.net, payout.arrived)]


def _compare(
    command: c.ListPayout | c.MatchLine,
    payout_id: str,
    listed: Cents,
    arrived: e.PayoutArrived | None,
) -> list[Event]:
    if arrived is None:
        return []
    if arrived.amount == listed:
        return [e.PayoutSettled(at=command.at, payout_id=payout_id)]
    return [
        e.PayoutDiffers(at=command.at, payout_id=payout_id, listed=listed, arrived=arrived.amount)
    ]


def match_line(command: c.MatchLine, states: States) -> Decision:
    """[] when this line was looked at already. A second line of one payout explains nothing."""
    line_id, payout_id = command.streams()
    line, payout = states.of(line_id, Line), states.of(payout_id, Payout)
    if line.status in (LineStatus.RESERVED, LineStatus.REPEATED):
        return []
    if line.booked is None or command.amount > line.booked.amount:
        raise Refused("A bank line explains no more than its own amount.")
    if payout.arrived is not None:
        repeated = e.LineRepeated(
            at=command.at, line_id=line_id, payout_id=payout_id, amount=command.amount
        )
        return [(line_id, repeated)]
    arrived = e.PayoutArrived(
        at=command.at, payout_id=payout_id, line_id=line_id, amount=command.amount
    )
    reserved = e.LineReserved(
        at=command.at, line_id=line_id, payout_id=payout_id, amount=command.amount
    )
    outcome: list[Event] = []
    if payout.listed is not None:
        outcome = _compare(command, payout_id, payout.listed.net, arrived)
    decision: Decision = [(line_id, reserved), (payout_id, arrived)]
    return decision + [(payout_id, event) for event in outcome]


def import_statement(command: c.ImportStatement, states: States) -> Decision:
    """[] for the same file again. Refused for another file under the same statement number, when
    the entries do not lead from the opening to the closing balance, and when it does not follow
    on the statement before."""
    statement = states.of(command.statement_id, Statement)
    if statement.file_hash == command.file_hash:
        return []
    if statement.file_hash is not None:
        raise Refused(
            "Statement %(number)s was imported already, with other content.",
            number=command.bank_reference,
        )
    if command.opening + sum(entry.amount for entry in command.entries) != command.closing:
        raise Refused("The entries do not lead from the opening to the closing balance.")
    proved = follow_on(command, states.of(command.account_id, Account))
    lines = [_booked(command, number) for number in range(1, len(command.entries) + 1)]
    return [
        (command.statement_id, _imported(command)),
        (command.account_id, proved),
        *((line.line_id, line) for line in lines),
    ]


def _imported(command: c.ImportStatement) -> e.StatementImported:
    return e.StatementImported(
        at=command.at,
        statement_id=command.statement_id,
        account=command.account,
        bank_reference=command.bank_reference,
        sequence=command.sequence,
        from_on=command.from_on,
        to_on=command.to_on,
        opening=command.opening,
        closing=command.closing,
        lines=len(command.entries),
        file_hash=command.file_hash,
    )


def _booked(command: c.ImportStatement, number: int) -> e.LineBooked:
    """Line `number`, counted from one."""
    entry = command.entries[number - 1]
    return e.LineBooked(
        at=command.at,
        line_id=command.line_id(number),
        statement_id=command.statement_id,
        number=number,
        amount=entry.amount,
        booked_on=entry.booked_on,
        value_on=entry.value_on,
        end_to_end_id=entry.end_to_end_id,
        bank_reference=entry.bank_reference,
        counterparty=entry.counterparty,
        remittance=entry.remittance,
    )


PAYOUT = Thing(
    prefix="po",
    initial=Payout,
    evolve=evolve_payout,
    transitions=PAYOUT_TRANSITIONS,
    events=(e.PayoutListed, e.PayoutArrived, e.PayoutSettled, e.PayoutDiffers),
)
STATEMENT = Thing(
    prefix="st",
    initial=Statement,
    evolve=evolve_statement,
    transitions=STATEMENT_TRANSITIONS,
    events=(e.StatementImported,),
)
LINE = Thing(
    prefix="ln",
    initial=Line,
    evolve=evolve_line,
    transitions=LINE_TRANSITIONS,
    events=(e.LineBooked, e.LineReserved, e.LineRepeated),
)
DECIDERS: Deciders = {
    c.ListPayout: on_one(lambda command: command.streams()[0], Payout, list_payout),
    c.MatchLine: on_many(match_line),
    c.ImportStatement: on_many(import_statement),
}
