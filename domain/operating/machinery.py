"""What the System page and /metrics see of the machinery: one query over the stream's own tables,
one over the books in the read models, one over the circuits. Counts, ages and ids; nobody's data.
An age is seconds: of real time for processes, of the Clock for what falls due by it."""

from datetime import datetime

import msgspec
from psycopg.errors import InvalidSchemaName, UndefinedTable

from domain.dispatch import Dispatcher
from domain.kernel.value import Value
from domain.operating.machinery_sql import BOOKS, MACHINERY
from domain.operating.watch import LISTED_MAX, Quarantined
from domain.readmodels import providers
from domain.stream.cursor import Parked
from domain.stream.database import Connection
from domain.stream.effects import ParkedEffect


class EffectCount(Value):
    """`state`: planned (not due yet), waiting, leased, unknown, parked. `oldest_s` of those due."""

    kind: str
    state: str
    number: int
    oldest_s: float


class Reader(Value):
    """`behind` positions of the feed; `lag_s` since the first event it has not seen."""

    name: str
    behind: int
    lag_s: float


class Unknown(Value):
    """Orders whose outcome nobody knows, by how long ago they fell due."""

    provider: str
    age: str
    number: int


class Timers(Value):
    planned: int
    overdue: int
    oldest_s: float
    next_at: datetime | None


class Inbox(Value):
    waiting: int
    oldest_s: float


class Beat(Value):
    """A process that should say every few seconds that it lives."""

    name: str
    age_s: float


class Polled(Value):
    """A provider that is asked for notifications that got lost; by the Clock."""

    name: str
    age_s: float


class Observation(Value):
    """Of the last check, backup or restore test."""

    kind: str
    name: str
    value: int
    age_s: float


class Refusal(Value):
    """Notifications that were not stored: of the last seven days in Berlin, and of today."""

    provider: str
    reason: str
    times: int
    last_at: datetime
    today: int


class Aside(Value):
    """How much is set aside in all; the lists of `Machinery` hold the oldest of each."""

    streams: int
    effects: int
    notifications: int

    @property
    def all(self) -> int:
        return self.streams + self.effects + self.notifications


class Machinery(Value):
    mode: str
    now: datetime
    position: int
    effects: tuple[EffectCount, ...]
    readers: tuple[Reader, ...]
    unknown: tuple[Unknown, ...]
    timers: Timers
    inbox: Inbox
    beats: tuple[Beat, ...]
    polls: tuple[Polled, ...]
    observations: tuple[Observation, ...]
    refusals: tuple[Refusal, ...]
    aside: Aside
    parked_streams: tuple[Parked, ...]
    parked_effects: tuple[ParkedEffect, ...]
    quarantined: tuple[Quarantined, ...]

    def age_of(self, kind: str) -> float | None:
        """Seconds since the last check, backup or restore test; None when there was none."""
        return min((one.age_s for one in self.observations if one.kind == kind), default=None)


class Clearing(Value):
    """What a provider holds for us: `confirmed` and not paid out, `paid-out` and not settled."""

    provider: str
    state: str
    cents: int


class OpenCases(Value):
    case_type: str
    number: int
    late: int


class UnmatchedLines(Value):
    age: str
    number: int


class Books(Value):
    clearing: tuple[Clearing, ...] = ()
    cases: tuple[OpenCases, ...] = ()
    unmatched: tuple[UnmatchedLines, ...] = ()


class System(Value):
    """`books` is None until the follower has made the read models."""

    machinery: Machinery
    books: Books | None
    providers: tuple[providers.Provider, ...]


_MACHINERY = msgspec.json.Decoder(Machinery)
_BOOKS = msgspec.json.Decoder(Books)


def look(dispatcher: Dispatcher) -> System:
    """Three queries, whatever there is to see."""
    with dispatcher.read() as connection:
        return System(
            machinery=_machinery(connection),
            books=_books(connection),
            providers=tuple(providers.providers(connection)),
        )


def look_at_stream(dispatcher: Dispatcher) -> Machinery:
    """Only the first of them: the stream's readers, and what was set aside."""
    with dispatcher.read() as connection:
        return _machinery(connection)


def _machinery(connection: Connection) -> Machinery:
    row = connection.execute(MACHINERY.encode(), {"listed": LISTED_MAX}, prepare=True).fetchone()
    if row is None:
        raise RuntimeError("the database is not stamped: run `python -m jobs.migrate`")
    return _MACHINERY.decode(row[0])


def _books(connection: Connection) -> Books | None:
    try:
        row = connection.execute(BOOKS.encode(), prepare=True).fetchone()
    except (UndefinedTable, InvalidSchemaName):
        return None
    return None if row is None else _BOOKS.decode(row[0])
