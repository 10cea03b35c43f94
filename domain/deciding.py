"""Deciding without recording: load the streams a command names, decide, and see what the flows
would add. Reads only; a preview and a dispatch share every line of it."""

import hashlib
from collections.abc import Iterator, Mapping

import msgspec

from domain.flows.flow import Reaction
from domain.kernel.ids import prefix_of
from domain.kernel.message import Command, Decision, Event, States
from domain.kernel.time import BEGINNING
from domain.kernel.value import Value
from domain.registry import DECIDERS, EVENTS, FLOWS, thing_of
from domain.stream import store
from domain.stream.codec import Codec
from domain.stream.database import Connection

CODEC = Codec(EVENTS)


class Decided(Value):
    """A decision with what it was decided on."""

    decision: tuple[tuple[str, Event], ...]
    states: dict[str, object]
    versions: dict[str, int]


class Preview(Value):
    """What would be recorded now. `digest` names the events without times and numbers."""

    events: tuple[tuple[str, Event], ...]
    reactions: tuple[Reaction, ...]
    versions: dict[str, int]
    digest: str


def decide(connection: Connection, command: Command, numbers: Mapping[str, str]) -> Decided:
    streams = command.streams()
    loaded = store.load(connection, CODEC, [*dict.fromkeys((*streams, *command.reads()))])
    states = {}
    for stream, found in loaded.items():
        thing = thing_of(stream)
        states[stream] = thing.rebuild(found.events, thing.begin())
    decision: Decision = DECIDERS[type(command)](command, States(states, dict(numbers)))
    versions = {stream: loaded[stream].version for stream in streams}
    return Decided(decision=tuple(decision), states=states, versions=versions)


def react(decided: Decided) -> Iterator[tuple[str, Event, list[Reaction]]]:
    """Each event with what the flows answer, folded one after the other."""
    states = dict(decided.states)
    for stream, event in decided.decision:
        states[stream] = thing_of(stream).rebuild([event], states[stream])
        prefix = prefix_of(stream)
        reactions = [
            reaction
            for flow in FLOWS
            if prefix in flow.watches
            for reaction in flow.react(event, states[stream])
        ]
        yield stream, event, reactions


def preview_of(command: Command, decided: Decided) -> Preview:
    timeless = [
        (stream, event.wire(), msgspec.structs.replace(event, at=BEGINNING))
        for stream, event in decided.decision
    ]
    reactions = tuple(reaction for _, _, answers in react(decided) for reaction in answers)
    return Preview(
        events=decided.decision,
        reactions=reactions,
        versions=decided.versions,
        digest=hashlib.sha256(msgspec.json.encode(timeless)).hexdigest(),
    )
