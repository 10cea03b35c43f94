"""What can be true of a customer. Names, addresses and e-mail are sealed per person."""

from typing import Literal

from domain.kernel.message import Event, Sealed


class CustomerRegistered(Event):
    """We know this person or company from now on."""

    prefix = "cus"
    customer_id: str
    number: str
    kind: Literal["private", "business"]
    name: Sealed[str]
    street: Sealed[str]
    postcode: Sealed[str]
    city: Sealed[str]
    email: Sealed[str]

    @property
    def seal_subject(self) -> str:
        return self.customer_id
