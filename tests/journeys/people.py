"""The insured of the journeys: a household contract with a mandate that the simulator knows."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from domain.contracts.commands import SignContract
from domain.contracts.events import Cover, Rounding
from domain.customers.commands import RegisterCustomer
from domain.kernel.ids import derive, name_uuid
from domain.payments.commands import RegisterMandate
from tests.journeys.world import World, new_id

FIRST_DUE = date(2027, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Insured:
    """`payment(n)` is the n-th instalment's payment; the others likewise."""

    customer: str
    contract: str
    mandate: str

    def payment(self, n: int = 0) -> str:
        return derive("pay", self.customer, self.contract, n, 1)

    def invoice(self, n: int = 0) -> str:
        return derive("inv", self.customer, self.contract, n)

    def receivable(self, n: int = 0) -> str:
        return derive("rcv", self.customer, self.contract, n)


def insure(
    world: World,
    *,
    name: str = "Nadia Brandt",
    net_year: int = 129_00 * 12,
    first_due: date = FIRST_DUE,
    behaviour: dict[str, Any] | None = None,
    covers: tuple[Cover, ...] | None = None,
    per_year: int = 1,
) -> Insured:
    """Yearly by default: a journey then has exactly one payment per customer. Nothing has come
    to rest afterwards; the next move of the Clock sees to that."""
    customer = new_id("cus")
    contract, mandate = new_id("ct", customer), new_id("man", customer)
    tail = customer[-8:]
    method: dict[str, Any] = {
        "id": f"pm_{tail}",
        "iban": "DE89370400440532013000",
        "behaviour": behaviour or {},
    }
    person = {"id": f"cus_{tail}", "name": name, "email": "person@example.com"}
    world.control.ask("POST", "/seed", {"customers": [{**person, "payment_methods": [method]}]})
    world.kontor.dispatch(
        RegisterCustomer(
            by="test",
            customer_id=customer,
            number=f"K-{tail}",
            kind="private",
            name=name,
            street="Hafenstraße 3",
            postcode="20359",
            city="Hamburg",
            email="person@example.com",
        ),
        new_uuid(customer),
    )
    world.kontor.dispatch(
        RegisterMandate(
            by="test",
            mandate_id=mandate,
            customer_id=customer,
            reference=f"M-{tail}",
            creditor_id=world.settings.house.creditor_id,
            provider="stripe",
            provider_customer=person["id"],
            provider_method=method["id"],
            iban="DE89370400440532013000",
            signed_on=date(2026, 12, 1),
        ),
        new_uuid(mandate),
    )
    world.send(
        SignContract(
            by="test",
            contract_id=contract,
            customer_id=customer,
            mandate_id=mandate,
            number=f"HR-{tail}",
            product="Hausrat Plus",
            covers=covers or (Cover(name="Hausrat", net_year=net_year, tax_rate_bp=1615),),
            instalments_per_year=per_year,
            surcharge_bp=0,
            rounding=Rounding.INSTALMENT_FIRST,
            first_due_on=first_due,
        )
    )
    return Insured(customer=customer, contract=contract, mandate=mandate)


def new_uuid(of: str) -> UUID:
    return name_uuid("test", of)
