"""Our bank account as its statements prove it: each begins where the one before ended, and no day
is told twice (RELIABILITY 23)."""

from enum import StrEnum

from domain.kernel.decider import Thing
from domain.kernel.message import Refused
from domain.kernel.money import Amount
from domain.kernel.transitions import step
from domain.kernel.value import Value
from domain.payments import settlement_commands as c
from domain.payments import settlement_events as e


class AccountStatus(StrEnum):
    NOTHING = "nothing"
    PROVED = "proved"


A = AccountStatus
ACCOUNT_TRANSITIONS: dict[tuple[AccountStatus, str], AccountStatus] = {
    (A.NOTHING, "balance-proved"): A.PROVED,
    (A.PROVED, "balance-proved"): A.PROVED,
}


class Account(Value):
    """`proved` is None before the first statement: any may begin."""

    status: AccountStatus = AccountStatus.NOTHING
    proved: e.BalanceProved | None = None


def evolve_account(state: Account, event: e.BalanceProved) -> Account:
    return Account(status=step(ACCOUNT_TRANSITIONS, state.status, event.wire()), proved=event)


def follow_on(command: c.ImportStatement, account: Account) -> e.BalanceProved:
    """Refused for a period that was told before, whatever number it comes under now, and for a
    statement that does not begin where the one before ended."""
    proved = account.proved
    if proved is not None and _told_before(command, proved):
        raise Refused(
            "The account is booked up to %(to_on)s. This statement begins on %(from_on)s: its lines"
            " would be booked twice.",
            to_on=proved.to_on,
            from_on=command.from_on,
        )
    if proved is not None and command.opening != proved.closing:
        raise Refused(
            "This statement opens with %(opening)s, the one before closed with %(closing)s: one"
            " between them is missing.",
            opening=Amount(command.opening),
            closing=Amount(proved.closing),
        )
    return e.BalanceProved(
        at=command.at,
        account_id=command.account_id,
        statement_id=command.statement_id,
        to_on=command.to_on,
        closing=command.closing,
    )


def _told_before(command: c.ImportStatement, proved: e.BalanceProved) -> bool:
    """Banks that end a period at a time of day name that day twice: as an end and a beginning."""
    return command.to_on <= proved.to_on or command.from_on < proved.to_on


ACCOUNT = Thing(
    prefix="acc",
    initial=Account,
    evolve=evolve_account,
    transitions=ACCOUNT_TRANSITIONS,
    events=(e.BalanceProved,),
)
