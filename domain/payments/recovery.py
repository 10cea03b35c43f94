"""Money that left us twice and that the customer owes back. Never a premium arrear (R6)."""

from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from domain.kernel.decider import Deciders, Thing, on_one
from domain.kernel.message import Event
from domain.kernel.money import Cents
from domain.kernel.transitions import step
from domain.kernel.value import Value
from domain.payments.commands import AdjustRecovery
from domain.payments.events import RecoveryAdjusted, RecoveryOpened

RecoveryFact: TypeAlias = RecoveryOpened | RecoveryAdjusted


class Status(StrEnum):
    NOTHING = "nothing"
    OPENED = "opened"


TRANSITIONS: dict[tuple[Status, str], Status] = {
    (Status.NOTHING, "recovery-opened"): Status.OPENED,
    (Status.OPENED, "recovery-adjusted"): Status.OPENED,
}


class Recovery(Value):
    """`amount` is zero when nothing is owed, or not any more."""

    status: Status = Status.NOTHING
    amount: Cents = 0


def evolve(state: Recovery, event: RecoveryFact) -> Recovery:
    status = step(TRANSITIONS, state.status, event.wire())
    match event:
        case RecoveryOpened() | RecoveryAdjusted():
            return replace(state, status=status, amount=event.amount)
        case _:
            assert_never(event)


def adjust(command: AdjustRecovery, recovery: Recovery) -> list[Event]:
    """[] when the amount is right already."""
    if command.amount == recovery.amount:
        return []
    if recovery.status is Status.NOTHING:
        return [
            RecoveryOpened(
                at=command.at,
                recovery_id=command.recovery_id,
                payment_id=command.payment_id,
                customer_id=command.customer_id,
                amount=command.amount,
            )
        ]
    return [
        RecoveryAdjusted(
            at=command.at,
            recovery_id=command.recovery_id,
            payment_id=command.payment_id,
            amount=command.amount,
        )
    ]


RECOVERY = Thing(
    prefix="rec",
    initial=Recovery,
    evolve=evolve,
    transitions=TRANSITIONS,
    events=(RecoveryOpened, RecoveryAdjusted),
)
DECIDERS: Deciders = {AdjustRecovery: on_one(lambda c: c.recovery_id, Recovery, adjust)}
