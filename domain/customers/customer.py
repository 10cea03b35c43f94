"""A customer: name and address for as long as the person's key exists."""

from enum import StrEnum
from typing import assert_never

from domain.customers.commands import RegisterCustomer
from domain.customers.events import CustomerRegistered
from domain.kernel.decider import Deciders, Thing, on_one
from domain.kernel.message import Event
from domain.kernel.transitions import step
from domain.kernel.value import Value


class Status(StrEnum):
    NOTHING = "nothing"
    KNOWN = "known"


TRANSITIONS: dict[tuple[Status, str], Status] = {
    (Status.NOTHING, "customer-registered"): Status.KNOWN,
}


class Customer(Value):
    """`name` and `address` are None before registration and after erasure."""

    status: Status = Status.NOTHING
    number: str = ""
    name: str | None = None
    address: tuple[str, ...] | None = None


def evolve(state: Customer, event: CustomerRegistered) -> Customer:
    status = step(TRANSITIONS, state.status, event.wire())
    match event:
        case CustomerRegistered():
            street, town = event.street, f"{event.postcode} {event.city}"
            address = None if street is None else (street, town)
            return Customer(status=status, number=event.number, name=event.name, address=address)
        case _:
            assert_never(event)


def register(command: RegisterCustomer, customer: Customer) -> list[Event]:
    """[] when the customer is known already."""
    if customer.status is Status.KNOWN:
        return []
    return [
        CustomerRegistered(
            at=command.at,
            customer_id=command.customer_id,
            number=command.number,
            kind=command.kind,
            name=command.name,
            street=command.street,
            postcode=command.postcode,
            city=command.city,
            email=command.email,
        )
    ]


CUSTOMER = Thing(
    prefix="cus",
    initial=Customer,
    evolve=evolve,
    transitions=TRANSITIONS,
    events=(CustomerRegistered,),
)
DECIDERS: Deciders = {
    RegisterCustomer: on_one(lambda c: c.customer_id, Customer, register),
}
