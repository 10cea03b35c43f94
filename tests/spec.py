"""given / when / then over pure deciders: streams in memory, folded as dispatch folds them. No
database, no follower; what flows answer is asked for, never sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from domain.flows.flow import Flow, Reaction
from domain.kernel.ids import name_uuid, on_shard, prefix_of, write_id
from domain.kernel.message import Command, Event, Refused, States
from domain.registry import DECIDERS, thing_of

SHARD = 7
_STREAM_FIELD = {
    "cus": "customer_id",
    "ct": "contract_id",
    "man": "mandate_id",
    "rcv": "receivable_id",
    "inv": "document_id",
    "pay": "payment_id",
    "rf": "refund_id",
    "rec": "recovery_id",
    "po": "payout_id",
    "st": "statement_id",
    "ln": "line_id",
    "acc": "account_id",
    "prv": "provider_id",
    "cs": "case_id",
}


def make_id(prefix: str, name: object = 1) -> str:
    """A well-formed id; the same name gives the same one."""
    return write_id(prefix, on_shard(name_uuid("spec", prefix, name), SHARD))


def stream_of(event: Event) -> str:
    """The stream that holds the event: the field that its prefix names."""
    stream: str = getattr(event, _STREAM_FIELD[event.prefix])
    return stream


class World:
    """Streams in memory. Recording an event that its stream cannot hold raises Impossible."""

    def __init__(self, past: Iterable[Event] = ()) -> None:
        self.events: list[Event] = []
        self._states: dict[str, object] = {}
        for event in past:
            self.record(event)

    def record(self, event: Event) -> None:
        stream = stream_of(event)
        self._states[stream] = thing_of(stream).rebuild([event], self.state(stream))
        self.events.append(event)

    def state(self, stream: str) -> object:
        return self._states.get(stream, thing_of(stream).begin())

    def copy(self) -> World:
        return World(self.events)

    def decide(self, command: Command) -> list[Event]:
        """What would be recorded; checks that each event goes to the stream it names, and that
        the command names that stream."""
        streams = command.streams()
        states = {one: self.state(one) for one in (*streams, *command.reads())}
        numbers = {series: f"{series}-000001" for series in command.series()}
        decision = DECIDERS[type(command)](command, States(states, numbers))
        for stream, event in decision:
            assert stream == stream_of(event)
            assert stream in streams
        return [event for _, event in decision]

    def send(self, command: Command) -> list[Event]:
        """Decides and records."""
        events = self.decide(command)
        for event in events:
            self.record(event)
        return events


class When:
    """One command over a past."""

    def __init__(self, past: Sequence[Event], command: Command) -> None:
        self._past = past
        self._command = command

    def then(self, events: Sequence[Event]) -> None:
        """Exactly these, which their streams can hold; the same command again adds nothing."""
        world = World(self._past)
        assert world.send(self._command) == list(events)
        assert world.decide(self._command) == [], "a repeated command decided something"

    def records(self, *types: type[Event]) -> list[Event]:
        """Events of exactly these types, returned for a closer look."""
        events = World(self._past).send(self._command)
        assert [type(event) for event in events] == list(types)
        return events

    def nothing(self) -> None:
        """Already so."""
        assert World(self._past).decide(self._command) == []

    def refused(self, part: str) -> Refused:
        """A sentence that holds `part`."""
        with pytest.raises(Refused) as caught:
            World(self._past).decide(self._command)
        assert part in str(caught.value)
        return caught.value


class Given:
    def __init__(self, past: Sequence[Event]) -> None:
        self._past = past

    def when(self, command: Command) -> When:
        return When(self._past, command)


def given(past: Sequence[Event]) -> Given:
    """Events of any number of streams, in the order of recording."""
    return Given(past)


def reactions(flow: Flow, past: Sequence[Event]) -> list[Reaction]:
    """What the flow answers to the last event; the state is that of its stream up to it."""
    event = past[-1]
    stream = stream_of(event)
    if prefix_of(stream) not in flow.watches:
        return []
    return flow.react(event, World(past).state(stream))
