"""The stream as people read it: one row per event, in clear, with what caused it and what it
caused. Timelines of other screens read here, too; nothing is decided from it."""

from collections.abc import Mapping, Sequence
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
from domain.payments.account import ACCOUNT
from domain.payments.mandate import MANDATE
from domain.payments.payment import PAYMENT
from domain.payments.provider import PROVIDER
from domain.payments.recovery import RECOVERY
from domain.payments.refund import REFUND
from domain.payments.settlement import LINE, PAYOUT, STATEMENT
from domain.readmodels.lists import Kind, Sort, Source, Term
from domain.readmodels.model import ReadModel, Rows, Table
from domain.stream.database import Connection
from domain.work.case import CASE

TIMELINE_MAX = 500
"""A payment has a few dozen events; beyond this a timeline helps nobody."""

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
    ACCOUNT,
    CASE,
    PROVIDER,
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
        "(service, feed_position)",
        "(actor, feed_position)",
        "(customer_id, feed_position) WHERE customer_id IS NOT NULL",
        "(at, feed_position)",
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


MODEL = ReadModel(name="stream", version=2, tables=(EVENT, OWNER), project=project)


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


class Count(Value):
    """`capped`: there are more than `number`."""

    number: int
    capped: bool


class EventSeen(EventRow):
    """An event of the list: where its cause stands, and how many events it led to directly."""

    cause_position: int | None
    led_to: int

    @property
    def event(self) -> Event:
        return _DECODERS[self.type].decode(self.data)


EVENTS = Source(
    table="read.stream_event",
    row=EventSeen,
    key=Term(sql="feed_position", kind=Kind.NUMBER),
    sorts={
        "position": Sort(terms=(), down=True),
        "when": Sort(terms=(Term(sql="at", kind=Kind.INSTANT),), down=True),
        "type": Sort(terms=(Term(sql="type", kind=Kind.TEXT),)),
        "who": Sort(terms=(Term(sql="actor", kind=Kind.TEXT),)),
        "stream": Sort(terms=(Term(sql="stream", kind=Kind.TEXT),)),
    },
    conditions={
        "type": "type = %(type)s",
        "types": "type = ANY(%(types)s)",
        "service": "service = %(service)s",
        "stream": "stream = %(stream)s",
        "customer": "customer_id = %(customer)s",
        "actor": "actor = %(actor)s",
        "cause": "cause_id = (SELECT c.event_id FROM read.stream_event c"
        " WHERE c.feed_position = %(cause)s)",
        "command": "command_id = %(command)s",
        "until": "feed_position <= %(until)s",
        "at_from": "at >= %(at_from)s",
        "at_to": "at < %(at_to)s",
    },
    data="to_jsonb(t) || jsonb_build_object("
    "'cause_position', (SELECT c.feed_position FROM read.stream_event c"
    " WHERE c.event_id = t.cause_id LIMIT 1), "
    "'led_to', (SELECT count(*) FROM read.stream_event c WHERE c.cause_id = t.event_id))",
)


_COLUMNS: LiteralString = (
    "feed_position, event_id, stream, version, type, data, at, recorded_at, actor, cause_id,"
    " command_id, customer_id"
)


def timeline(connection: Connection, streams: Sequence[str]) -> list[Entry]:
    """What happened in these streams, newest first; `cut` says whether that is all."""
    return read_entries(
        connection,
        "WHERE stream = ANY(%s) ORDER BY feed_position DESC LIMIT %s",
        (list(streams), TIMELINE_MAX),
    )


def cut(entries: Sequence[Entry]) -> int:
    """How many a timeline shows when it may leave older ones out, else 0."""
    return len(entries) if len(entries) >= TIMELINE_MAX else 0


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
