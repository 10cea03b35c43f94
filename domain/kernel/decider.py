"""A thing is three functions: `initial`, `evolve` and one decision per command. This module only
holds them together; it decides nothing."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Generic, Protocol, TypeAlias, TypeVar, cast

import msgspec

from domain.kernel.message import Command, Decision, Event, States

S = TypeVar("S")
T = TypeVar("T", bound=StrEnum)
E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=Command)


Edge: TypeAlias = tuple[str, str, str]
"""Status, wire name of the event, status after it."""


class AnyThing(Protocol):
    """What dispatch needs of a thing whose state it does not look into."""

    @property
    def prefix(self) -> str: ...
    @property
    def events(self) -> tuple[type[Event], ...]: ...
    def edges(self) -> tuple[Edge, ...]: ...
    def begin(self) -> object: ...
    def rebuild(self, events: Iterable[Event], state: object) -> object: ...


class Thing(msgspec.Struct, Generic[S, E, T], frozen=True, kw_only=True):
    """One kind of stream: its id prefix, its state before anything happened, its fold, and the
    table of what may follow what, by which the fold steps."""

    prefix: str
    initial: Callable[[], S]
    evolve: Callable[[S, E], S]
    transitions: Mapping[tuple[T, str], T]
    events: tuple[type[Event], ...]

    def fold(self, events: Iterable[E]) -> S:
        state = self.initial()
        for event in events:
            state = self.evolve(state, event)
        return state

    def edges(self) -> tuple[Edge, ...]:
        return tuple(
            (before.value, event, after.value)
            for (before, event), after in self.transitions.items()
        )

    def begin(self) -> object:
        return self.initial()

    def rebuild(self, events: Iterable[Event], state: object) -> object:
        """`fold` from a state on, for callers that do not know the types."""
        current = cast(S, state)
        for event in events:
            current = self.evolve(current, cast(E, event))
        return current


class Decider(Protocol):
    """Decides one kind of command over everything dispatch loaded for it."""

    def __call__(self, command: Command, states: States) -> Decision: ...


Deciders: TypeAlias = Mapping[type[Command], Decider]


def on_many(decide: Callable[[C, States], Decision]) -> Decider:
    """For a command over several streams."""
    return cast(Decider, decide)


def on_one(
    stream: Callable[[C], str], kind: type[S], decide: Callable[[C, S], list[Event]]
) -> Decider:
    """The short form for a command over one stream: `decide(command, state) -> [event]`."""

    def decide_on_one(command: C, states: States) -> Decision:
        name = stream(command)
        return [(name, event) for event in decide(command, states.of(name, kind))]

    return cast(Decider, decide_on_one)
