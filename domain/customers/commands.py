"""What can be asked of a customer."""

from typing import Literal

from domain.kernel.message import Command


class RegisterCustomer(Command):
    customer_id: str
    number: str
    kind: Literal["private", "business"]
    name: str
    street: str
    postcode: str
    city: str
    email: str

    def streams(self) -> tuple[str, ...]:
        return (self.customer_id,)
