"""A SEPA mandate: whether it may be debited, and under which ids the provider knows it."""

from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from domain.kernel.decider import Deciders, Thing, on_one
from domain.kernel.message import Event, Refused
from domain.kernel.transitions import step
from domain.kernel.value import Value
from domain.payments.commands import RegisterMandate, RevokeMandate
from domain.payments.events import MandateRegistered, MandateRevoked

MandateEvent: TypeAlias = MandateRegistered | MandateRevoked


class Status(StrEnum):
    NOTHING = "nothing"
    ACTIVE = "active"
    REVOKED = "revoked"


TRANSITIONS: dict[tuple[Status, str], Status] = {
    (Status.NOTHING, "mandate-registered"): Status.ACTIVE,
    (Status.ACTIVE, "mandate-revoked"): Status.REVOKED,
}


class Mandate(Value):
    status: Status = Status.NOTHING
    registered: MandateRegistered | None = None

    @property
    def active(self) -> bool:
        """Registered and not revoked."""
        return self.status is Status.ACTIVE

    @property
    def reference(self) -> str:
        return "" if self.registered is None else self.registered.reference

    @property
    def creditor_id(self) -> str:
        return "" if self.registered is None else self.registered.creditor_id

    @property
    def iban(self) -> str | None:
        return None if self.registered is None else self.registered.iban


def evolve(state: Mandate, event: MandateEvent) -> Mandate:
    moved = replace(state, status=step(TRANSITIONS, state.status, event.wire()))
    match event:
        case MandateRegistered():
            return replace(moved, registered=event)
        case MandateRevoked():
            return moved
        case _:
            assert_never(event)


def register(command: RegisterMandate, mandate: Mandate) -> list[Event]:
    """[] when registered already."""
    if mandate.registered is not None:
        return []
    return [
        MandateRegistered(
            at=command.at,
            mandate_id=command.mandate_id,
            customer_id=command.customer_id,
            reference=command.reference,
            creditor_id=command.creditor_id,
            provider=command.provider,
            provider_customer=command.provider_customer,
            provider_method=command.provider_method,
            iban=command.iban,
            signed_on=command.signed_on,
        )
    ]


def revoke(command: RevokeMandate, mandate: Mandate) -> list[Event]:
    if mandate.registered is None:
        raise Refused("This mandate does not exist.")
    if not mandate.active:
        return []
    return [MandateRevoked(at=command.at, mandate_id=command.mandate_id)]


MANDATE = Thing(
    prefix="man",
    initial=Mandate,
    evolve=evolve,
    transitions=TRANSITIONS,
    events=(MandateRegistered, MandateRevoked),
)
DECIDERS: Deciders = {
    RegisterMandate: on_one(lambda c: c.mandate_id, Mandate, register),
    RevokeMandate: on_one(lambda c: c.mandate_id, Mandate, revoke),
}
