"""What a flow is. It sends nothing itself: dispatch stores its effects and timers with the event,
the follower sends its commands."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from domain.kernel.ids import name_uuid
from domain.kernel.message import Command, Effect, Event, Timer
from domain.kernel.value import Value

Reaction: TypeAlias = Effect | Timer | Command
React: TypeAlias = Callable[[Event, object], list[Reaction]]
"""The event, and the state of its own stream up to and including it."""


class Flow(Value):
    """`react` sees every event; `watches` names the prefixes whose events it answers."""

    name: str
    watches: frozenset[str]
    react: React

    def command_id(self, event_id: str, number: int) -> UUID:
        """The same event gives the same ids: replaying a flow sends nothing twice."""
        return name_uuid(self.name, event_id, number)


def render(document_id: str, at: datetime) -> Effect:
    """The PDF of a document that was just issued."""
    return Effect(
        kind="render",
        queue="documents",
        stream=document_id,
        due_at=at,
        payload={"document_id": document_id},
    )
