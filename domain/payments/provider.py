"""A payment provider and its circuit: after failures in a row it opens, and one answered question
closes it. Counting calls is not decided here (`domain/stream/circuit.py`)."""

from enum import StrEnum
from typing import TypeAlias, assert_never

from msgspec.structs import replace

from domain.kernel.decider import Deciders, Thing, on_one
from domain.kernel.ids import name_uuid, write_id
from domain.kernel.message import Command, Event
from domain.kernel.transitions import step
from domain.kernel.value import Value
from domain.payments import provider_events as e

ProviderFact: TypeAlias = e.CircuitOpened | e.CircuitClosed


def provider_id(provider: str) -> str:
    """One stream per provider, on a shard of its own."""
    return write_id("prv", name_uuid("provider", provider))


class ProviderCommand(Command):
    provider: str

    def streams(self) -> tuple[str, ...]:
        return (provider_id(self.provider),)


class OpenCircuit(ProviderCommand):
    reason: e.Trouble
    failures: int


class CloseCircuit(ProviderCommand):
    """`opening` is the outage that the answered question belongs to."""

    opening: int


class Status(StrEnum):
    NOTHING = "nothing"
    OPEN = "open"
    CLOSED = "closed"


S = Status
TRANSITIONS: dict[tuple[Status, str], Status] = {
    (S.NOTHING, "circuit-opened"): S.OPEN,
    (S.OPEN, "circuit-closed"): S.CLOSED,
    (S.CLOSED, "circuit-opened"): S.OPEN,
}


class Provider(Value):
    """`opening` counts its outages; the last one is under way while the status is open."""

    status: Status = Status.NOTHING
    opening: int = 0

    @property
    def waiting(self) -> bool:
        """For an answer."""
        return self.status is Status.OPEN


def evolve(state: Provider, event: ProviderFact) -> Provider:
    moved = replace(state, status=step(TRANSITIONS, state.status, event.wire()))
    match event:
        case e.CircuitOpened():
            return replace(moved, opening=event.opening)
        case e.CircuitClosed():
            return moved
        case _:
            assert_never(event)


def open_circuit(command: OpenCircuit, provider: Provider) -> list[Event]:
    """[] while it is open: many workers notice one outage."""
    if provider.waiting:
        return []
    return [
        e.CircuitOpened(
            at=command.at,
            provider_id=provider_id(command.provider),
            provider=command.provider,
            opening=provider.opening + 1,
            reason=command.reason,
            failures=command.failures,
        )
    ]


def close_circuit(command: CloseCircuit, provider: Provider) -> list[Event]:
    """[] for an outage that is over."""
    if not provider.waiting or provider.opening != command.opening:
        return []
    return [
        e.CircuitClosed(
            at=command.at,
            provider_id=provider_id(command.provider),
            provider=command.provider,
            opening=command.opening,
        )
    ]


def _id(command: ProviderCommand) -> str:
    return provider_id(command.provider)


PROVIDER = Thing(
    prefix="prv",
    transitions=TRANSITIONS,
    initial=Provider,
    evolve=evolve,
    events=(e.CircuitOpened, e.CircuitClosed),
)
DECIDERS: Deciders = {
    OpenCircuit: on_one(_id, Provider, open_circuit),
    CloseCircuit: on_one(_id, Provider, close_circuit),
}
