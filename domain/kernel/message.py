"""Commands, events and what a decision answers. Wire names and fields freeze with the first
stored event; `tests/architecture/events.json` holds them."""

import re
from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self, TypeAlias, TypeVar

import msgspec

from domain.kernel.time import BEGINNING
from domain.kernel.value import Value

T = TypeVar("T")
Purpose: TypeAlias = Literal["contact", "booking", "house"]


class Seal:
    """Marks a field that the codec stores encrypted under the event's subject and purpose."""


Sealed: TypeAlias = Annotated[T | None, Seal()]
"""Personal data: clear in memory, None after erasure, never in the event's `data` column."""


def wire_name(class_name: str) -> str:
    """`RefundApproved` -> `refund-approved`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", class_name).lower()


class Event(Value):
    """A fact. `at` is business time (the Clock), not the time of recording."""

    prefix: ClassVar[str] = ""
    schema_v: ClassVar[int] = 1
    purpose: ClassVar[Purpose] = "contact"
    at: datetime

    @classmethod
    def wire(cls) -> str:
        return wire_name(cls.__name__)

    @property
    def seal_subject(self) -> str | None:
        """Whose key seals this event: a customer id, or our house."""
        return None


class Command(Value):
    """A wish. The content of a command is its fields without `at`, which dispatch stamps.

    `by` names who asks: a staff id, or `flow:refunding`, `worker`, `timer`, `stripe`.
    """

    at: datetime = BEGINNING
    by: str

    def streams(self) -> tuple[str, ...]:
        """The streams it may write; their versions are checked."""
        raise NotImplementedError

    def reads(self) -> tuple[str, ...]:
        """Streams read for their content only; their versions are not checked."""
        return ()

    def series(self) -> tuple[str, ...]:
        """Number series taken, one number each, before `decide`."""
        return ()

    def stamped(self, at: datetime) -> Self:
        return msgspec.structs.replace(self, at=at)


class Refused(Exception):
    """A sentence that says why not: a message id with `%(name)s` places, and their values."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values


class States:
    """What dispatch loaded for one decision: a state per stream, a number per series."""

    def __init__(self, states: dict[str, object], numbers: dict[str, str] | None = None) -> None:
        self._states = states
        self._numbers = numbers or {}

    def of(self, stream: str, kind: type[T]) -> T:
        """The state of `stream`; `kind` is its class, or a runtime-checkable protocol."""
        state = self._states[stream]
        if not isinstance(state, kind):
            raise TypeError(f"{stream} holds {type(state).__name__}, not {kind.__name__}")
        return state

    def number(self, series: str) -> str:
        return self._numbers[series]


class Effect(Value):
    """Work outside the database, done by a worker under a lease. The payload carries ids only."""

    kind: str
    stream: str
    due_at: datetime
    queue: Literal["effects", "documents"] = "effects"
    payload: dict[str, str] = {}


class Timer(Value):
    """A command for later. It is never cancelled: a late one decides nothing."""

    kind: str
    stream: str
    due_at: datetime
    payload: dict[str, str] = {}


Decision: TypeAlias = list[tuple[str, Event]]
"""(stream id, event) in the order of recording; empty means "already so"."""


class Recorded(Value):
    """An event with its place in the stream of updates."""

    feed_position: int
    event_id: str
    stream: str
    version: int
    event: Event
    command_id: str
    cause_id: str | None
    actor: str
    recorded_at: datetime
