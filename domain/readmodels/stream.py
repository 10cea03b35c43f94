"""The stream as people read it: one row per event, in clear, with what caused it and what it
caused. Timelines of other screens read here, too; nothing is decided from it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import LiteralString

import msgspec
from psycopg import sql
from psycopg.rows import TupleRow

from domain.contracts.contract import CONTRACT
from domain.customers.customer import CUSTOMER
from domain.invoices.document import DOCUMENT
from domain.invoices.receivable import RECEIVABLE
from domain.kernel.decider import AnyThing
from domain.kernel.message import Event, Recorded
from domain.kernel.value import Value
from domain.payments.mandate import MANDATE
from domain.payments.payment import PAYMENT
from domain.payments.recovery import RECOVERY
from domain.payments.refund import REFUND
from domain.payments.settlement import LINE, PAYOUT, STATEMENT
from domain.readmodels.model import ReadModel, Rows, Table
from domain.stream.database import Connection
from domain.work.case import CASE

PAGE = 50
TIMELINE_MAX = 500
"""A payment has a few dozen events; beyond this a timeline helps nobody."""
COUNT_MAX = 10_000
"""Counting stops here: "50 of over 10.000"."""

_THINGS: tuple[AnyThing, ...] = (
    CUSTOMER,
    CONTRACT,
    RECEIVABLE,
    DOCUMENT,
    MANDATE,
    PAYMENT,
    REFUND,
    RECOVERY,
    PAYOUT,
    STATEMENT,
    LINE,
    CASE,
)
KINDS: dict[str, type[Event]] = {kind.wire(): kind for thing in _THINGS for kind in thing.events}
SERVICES: dict[str, str] = {wire: kind.__module__.split(".")[1] for wire, kind in KINDS.items()}
"""Wire name -> the service that owns the event."""
_DECODERS = {wire: msgspec.json.Decoder(kind) for wire, kind in KINDS.items()}


class EventRow(Value):
    """`data` is the event's JSON with its personal data in clear."""

    feed_position: int
    event_id: str
    stream: str
    version: int
    service: str
    type: str
    data: str
    at: datetime
    recorded_at: datetime
    actor: str
    cause_id: str | None
    command_id: str
    customer_id: str | None


class OwnerRow(Value):
    """Whose stream it is: later events of a stream do not repeat the customer."""

    stream: str
    customer_id: str


EVENT = Table(
    name="stream_event",
    row=EventRow,
    key=("feed_position",),
    columns="""
      feed_position bigint NOT NULL,
      event_id text NOT NULL,
      stream text NOT NULL,
      version integer NOT NULL,
      service text NOT NULL,
      type text NOT NULL,
      data text NOT NULL,
      at timestamptz NOT NULL,
      recorded_at timestamptz NOT NULL,
      actor text NOT NULL,
      cause_id text,
      command_id text NOT NULL,
      customer_id text
    """,
    indexes=(
        "(stream, feed_position)",
        "(event_id)",
        "(cause_id, feed_position) WHERE cause_id IS NOT NULL",
        "(command_id)",
        "(type, feed_position)",
        "(customer_id, feed_position) WHERE customer_id IS NOT NULL",
        "(at)",
    ),
)
OWNER = Table(
    name="stream_owner",
    row=OwnerRow,
    key=("stream",),
    columns="stream text NOT NULL, customer_id text NOT NULL",
)


def project(rows: Rows, recorded: Recorded) -> None:
    event = recorded.event
    wire = event.wire()
    rows.put(
        EVENT,
        EventRow(
            feed_position=recorded.feed_position,
            event_id=recorded.event_id,
            stream=recorded.stream,
            version=recorded.version,
            service=SERVICES[wire],
            type=wire,
            data=msgspec.json.encode(event).decode(),
            at=event.at,
            recorded_at=recorded.recorded_at,
            actor=recorded.actor,
            cause_id=recorded.cause_id,
            command_id=recorded.command_id,
            customer_id=_customer(rows, recorded),
        ),
    )


def _customer(rows: Rows, recorded: Recorded) -> str | None:
    told = getattr(recorded.event, "customer_id", None)
    if isinstance(told, str):
        if recorded.version == 1:
            rows.put(OWNER, OwnerRow(stream=recorded.stream, customer_id=told))
        return told
    if recorded.version == 1:
        return None
    owner = rows.get(OWNER, recorded.stream)
    return None if owner is None else owner.customer_id


MODEL = ReadModel(name="stream", version=1, tables=(EVENT, OWNER), project=project)


class Entry(Value):
    """One event as a line of a timeline."""

    feed_position: int
    event_id: str
    stream: str
    version: int
    type: str
    event: Event
    at: datetime
    recorded_at: datetime
    actor: str
    cause_id: str | None
    command_id: str
    customer_id: str | None


class Filters(Value):
    """What to look at; None means everything. `until` is the newest position shown."""

    type: str | None = None
    service: str | None = None
    stream: str | None = None
    customer: str | None = None
    actor: str | None = None
    until: int | None = None


class Page(Value):
    """`after` is the position to continue behind, None on the last page."""

    entries: tuple[Entry, ...]
    after: int | None


class Count(Value):
    """`capped`: there are more than `number`."""

    number: int
    capped: bool


_COLUMNS: LiteralString = (
    "feed_position, event_id, stream, version, type, data, at, recorded_at, actor, cause_id,"
    " command_id, customer_id"
)
_CONDITIONS: dict[str, LiteralString] = {
    "type": "type = %(type)s",
    "service": "service = %(service)s",
    "stream": "stream = %(stream)s",
    "customer": "customer_id = %(customer)s",
    "actor": "actor = %(actor)s",
    "until": "feed_position <= %(until)s",
    "after": "feed_position < %(after)s",
}


def timeline(connection: Connection, streams: Sequence[str]) -> list[Entry]:
    """Everything that happened in these streams, newest first."""
    return read_entries(
        connection,
        "WHERE stream = ANY(%s) ORDER BY feed_position DESC LIMIT %s",
        (list(streams), TIMELINE_MAX),
    )


def page(connection: Connection, filters: Filters, after: int | None = None) -> Page:
    """Newest first; `after` is the `after` of the page before."""
    values = _values(filters) | ({} if after is None else {"after": after})
    tail = f"WHERE {_where(values)} ORDER BY feed_position DESC LIMIT %(limit)s"
    found = read_entries(connection, tail, values | {"limit": PAGE + 1})
    shown = tuple(found[:PAGE])
    return Page(entries=shown, after=shown[-1].feed_position if len(found) > PAGE else None)


def count(connection: Connection, filters: Filters) -> Count:
    values = _values(filters)
    query = sql.SQL(
        "SELECT count(*) FROM (SELECT 1 FROM read.stream_event WHERE {} LIMIT {}) found"
    ).format(sql.SQL(_where(values)), sql.Literal(COUNT_MAX + 1))
    row = connection.execute(query, values).fetchone()
    return capped(0 if row is None else int(row[0]), COUNT_MAX)


def _values(filters: Filters) -> dict[str, object]:
    return {
        name: value
        for name in filters.__struct_fields__
        if (value := getattr(filters, name)) is not None
    }


def _where(values: Iterable[str]) -> LiteralString:
    """Constants of this file only; every value is a parameter."""
    conditions = [_CONDITIONS[name] for name in values]
    return " AND ".join(conditions) if conditions else "true"


def capped(number: int, limit: int) -> Count:
    return Count(number=min(number, limit), capped=number > limit)


def read_entries(
    connection: Connection, tail: LiteralString, values: Sequence[object] | Mapping[str, object]
) -> list[Entry]:
    """The rows that the `tail` of a query (WHERE and behind) chooses."""
    query = sql.SQL("SELECT {} FROM read.stream_event {}").format(sql.SQL(_COLUMNS), sql.SQL(tail))
    return [_entry(row) for row in connection.execute(query, values)]


def _entry(row: TupleRow) -> Entry:
    position, event_id, stream, version, wire, data, *rest = row
    at, recorded_at, actor, cause_id, command_id, customer_id = rest
    return Entry(
        feed_position=position,
        event_id=event_id,
        stream=stream,
        version=version,
        type=wire,
        event=_DECODERS[wire].decode(data),
        at=at,
        recorded_at=recorded_at,
        actor=actor,
        cause_id=cause_id,
        command_id=command_id,
        customer_id=customer_id,
    )
