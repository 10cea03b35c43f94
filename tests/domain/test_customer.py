"""Customers and their mandates."""

from __future__ import annotations

from domain.customers.customer import Customer
from domain.customers.events import CustomerRegistered
from domain.payments.commands import RevokeMandate
from domain.payments.events import MandateRegistered, MandateRevoked
from domain.payments.mandate import Mandate
from tests.domain import facts as f
from tests.spec import World, given

REVOKE = RevokeMandate(by="staff:mia", mandate_id=f.MANDATE)


def test_a_customer_is_registered_once() -> None:
    (event,) = given([]).when(f.register()).records(CustomerRegistered)
    given([event]).when(f.register(name="Somebody else")).nothing()
    customer = World([event]).state(f.CUSTOMER)
    assert isinstance(customer, Customer)
    assert customer.address == ("Fischmarkt 3", "22767 Hamburg")


def test_after_erasure_there_is_no_name_and_no_address() -> None:
    erased = CustomerRegistered(
        at=f.REFUND_DAY,
        customer_id=f.CUSTOMER,
        number="K-1001",
        kind="private",
        name=None,
        street=None,
        postcode=None,
        city=None,
        email=None,
    )
    customer = World([erased]).state(f.CUSTOMER)
    assert isinstance(customer, Customer)
    assert (customer.name, customer.address, customer.number) == (None, None, "K-1001")


def test_a_mandate_is_registered_once_and_revoked_once() -> None:
    (registered,) = given([]).when(f.register_mandate()).records(MandateRegistered)
    given([registered]).when(f.register_mandate(iban="DE00")).nothing()
    revoked = MandateRevoked(at=REVOKE.at, mandate_id=f.MANDATE)
    given([registered]).when(REVOKE).then([revoked])
    given([]).when(REVOKE).refused("does not exist")


def test_a_mandate_is_active_between_registration_and_revocation() -> None:
    world = World()
    states = []
    for command in (None, f.register_mandate(), REVOKE):
        if command is not None:
            world.send(command)
        mandate = world.state(f.MANDATE)
        assert isinstance(mandate, Mandate)
        states.append((mandate.active, mandate.reference, mandate.creditor_id, mandate.iban))
    known = ("HL-M-1001", "DE98ZZZ09999999999", "DE89370400440532013000")
    assert states == [(False, "", "", None), (True, *known), (False, *known)]
