"""The flows over streams in memory: what they send is decided at once, what they leave to workers
and timers is kept in sight. No database and no clock."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from domain.flows.flow import Reaction
from domain.kernel.ids import prefix_of
from domain.kernel.message import Command, Effect, Event, Timer
from domain.registry import FLOWS
from tests.spec import World, stream_of


class Story:
    """Sends commands and lets the flows answer until they are quiet."""

    def __init__(self, at: datetime) -> None:
        self.world = World()
        self.at = at
        self.effects: list[Effect] = []
        self.timers: list[Timer] = []
        self.sent: list[Command] = []

    def do(self, *commands: Command) -> list[Event]:
        """Everything that was recorded, by these commands and by what the flows made of it."""
        recorded: list[Event] = []
        queue = deque(commands)
        while queue:
            command = queue.popleft().stamped(self.at)
            self.sent.append(command)
            for event in self.world.decide(command):
                self.world.record(event)
                recorded.append(event)
                for reaction in self._answers(event):
                    self._keep(reaction, queue)
        return recorded

    def _answers(self, event: Event) -> list[Reaction]:
        stream = stream_of(event)
        return [
            reaction
            for flow in FLOWS
            if prefix_of(stream) in flow.watches
            for reaction in flow.react(event, self.world.state(stream))
        ]

    def _keep(self, reaction: Reaction, queue: deque[Command]) -> None:
        match reaction:
            case Effect():
                self.effects.append(reaction)
            case Timer():
                self.timers.append(reaction)
            case Command():
                queue.append(reaction)

    def effect(self, kind: str) -> Effect:
        """The one effect of that kind that waits; taken away."""
        (found,) = [effect for effect in self.effects if effect.kind == kind]
        self.effects.remove(found)
        return found

    def timer(self, kind: str) -> Timer:
        """The next timer of that kind; taken away."""
        found = min(
            (timer for timer in self.timers if timer.kind == kind), key=lambda timer: timer.due_at
        )
        self.timers.remove(found)
        return found
