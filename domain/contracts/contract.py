"""A contract bills its instalments one after the other, each once."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from domain.contracts.commands import BillInstalment, SignContract
from domain.contracts.events import ContractSigned, InstalmentBilled
from domain.contracts.premium import instalment_lines
from domain.kernel.decider import Deciders, Thing, on_one
from domain.kernel.ids import derive
from domain.kernel.lines import Line
from domain.kernel.message import Event, Refused
from domain.kernel.time import add_months
from domain.kernel.transitions import step
from domain.kernel.value import Value

ContractEvent: TypeAlias = ContractSigned | InstalmentBilled


class Status(StrEnum):
    NOTHING = "nothing"
    SIGNED = "signed"


TRANSITIONS: dict[tuple[Status, str], Status] = {
    (Status.NOTHING, "contract-signed"): Status.SIGNED,
    (Status.SIGNED, "instalment-billed"): Status.SIGNED,
}


class Contract(Value):
    """`billed` counts the instalments that were billed so far."""

    status: Status = Status.NOTHING
    signed: ContractSigned | None = None
    billed: int = 0


def due_on(signed: ContractSigned, instalment: int) -> date:
    return add_months(signed.first_due_on, instalment * 12 // signed.instalments_per_year)


def lines_of(signed: ContractSigned, instalment: int) -> tuple[Line, ...]:
    return instalment_lines(
        signed.covers,
        instalments_per_year=signed.instalments_per_year,
        surcharge_bp=signed.surcharge_bp,
        rounding=signed.rounding,
        instalment=instalment,
    )


def evolve(state: Contract, event: ContractEvent) -> Contract:
    moved = replace(state, status=step(TRANSITIONS, state.status, event.wire()))
    match event:
        case ContractSigned():
            return replace(moved, signed=event)
        case InstalmentBilled():
            return replace(moved, billed=event.instalment + 1)
        case _:
            assert_never(event)


def sign(command: SignContract, contract: Contract) -> list[Event]:
    """[] when signed already. Refused when the plan makes no sense."""
    if contract.signed is not None:
        return []
    if command.instalments_per_year not in (1, 2, 4, 12):
        raise Refused("A year has 1, 2, 4 or 12 instalments.")
    if not command.covers:
        raise Refused("A contract needs at least one cover.")
    fields = {name: getattr(command, name) for name in _SIGNED_FIELDS}
    return [ContractSigned(at=command.at, **fields)]


_SIGNED_FIELDS = tuple(name for name in ContractSigned.__struct_fields__ if name != "at")


def bill(command: BillInstalment, contract: Contract) -> list[Event]:
    """[] when that instalment was billed already. Refused out of order."""
    signed = contract.signed
    if signed is None:
        raise Refused("This contract does not exist.")
    expected = due_on(signed, contract.billed)
    if command.due_on < expected:
        return []
    if command.due_on > expected:
        raise Refused("The instalment due on %(due_on)s comes first.", due_on=expected)
    return [_billed(command.at, signed, contract.billed)]


def _billed(at: datetime, signed: ContractSigned, instalment: int) -> InstalmentBilled:
    """The ids derive from the instalment: billing it twice would make the same ones."""
    from_on, following = due_on(signed, instalment), due_on(signed, instalment + 1)
    return InstalmentBilled(
        at=at,
        contract_id=signed.contract_id,
        customer_id=signed.customer_id,
        mandate_id=signed.mandate_id,
        contract_number=signed.number,
        product=signed.product,
        instalment=instalment,
        period_from=from_on,
        period_to=following - timedelta(days=1),
        due_on=from_on,
        prenotification_days=signed.prenotification_days,
        lines=lines_of(signed, instalment),
        receivable_id=derive("rcv", signed.customer_id, signed.contract_id, instalment),
        invoice_id=derive("inv", signed.customer_id, signed.contract_id, instalment),
        payment_id=derive("pay", signed.customer_id, signed.contract_id, instalment, 1),
    )


CONTRACT = Thing(
    prefix="ct",
    initial=Contract,
    evolve=evolve,
    transitions=TRANSITIONS,
    events=(ContractSigned, InstalmentBilled),
)
DECIDERS: Deciders = {
    SignContract: on_one(lambda c: c.contract_id, Contract, sign),
    BillInstalment: on_one(lambda c: c.contract_id, Contract, bill),
}
