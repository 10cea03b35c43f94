"""What one command writes, and the rows of it: ids checked, events encoded and sealed. The
statement that takes them is the store's."""

import base64
from collections.abc import Sequence
from uuid import UUID

import msgspec

from domain.kernel.ids import prefix_of, read_id, shard_of
from domain.kernel.message import Effect, Event, Timer
from domain.stream.codec import encode
from domain.stream.database import Connection
from domain.stream.keys import keys_for, seal
from domain.stream.lease import LeaseChange


class NewEvent(msgspec.Struct, frozen=True, kw_only=True):
    stream: str
    version: int
    event_id: UUID
    event: Event
    actor: str
    cause_id: UUID | None = None


class NewEffect(msgspec.Struct, frozen=True, kw_only=True):
    """`effect_id` carries the shard of its stream in its first ten bits (`ids.on_shard`)."""

    effect_id: UUID
    effect: Effect


class NewTimer(msgspec.Struct, frozen=True, kw_only=True):
    timer_id: UUID
    timer: Timer


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one command writes; without events the command is logged alone. `fired` is the
    timer (shard, id) that sent the command."""

    shard: int
    command_id: UUID
    request_hash: bytes
    result: bytes
    writes: Sequence[NewEvent] = ()
    effects: Sequence[NewEffect] = ()
    timers: Sequence[NewTimer] = ()
    lease: LeaseChange | None = None
    fired: tuple[int, UUID] | None = None


class EventRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The columns of one event, named as the statements name them."""

    stream_id: UUID
    version: int
    event_id: UUID
    cause_id: UUID | None
    actor: str
    type: str
    schema_v: int
    data: msgspec.Raw
    sealed: str | None
    subject: str | None
    purpose: str | None


def event_rows(connection: Connection, batch: Batch) -> list[EventRow]:
    """Sorted by stream and version: two writers on the same two streams never deadlock."""
    encoded = [(_stream_id(new, batch.shard), new, encode(new.event)) for new in batch.writes]
    encoded.sort(key=lambda row: (row[0].int, row[1].version))
    owners = {(e.subject, e.purpose) for _, _, e in encoded if e.subject is not None}
    keys = keys_for(connection, owners, create=True) if owners else {}
    rows = []
    for stream_id, new, e in encoded:
        sealed = None
        if e.subject is not None and e.sealed_clear is not None:
            secret = seal(keys[e.subject, e.purpose], e.sealed_clear, new.event_id.bytes)
            sealed = base64.b64encode(secret).decode()
        row = EventRow(
            stream_id=stream_id,
            version=new.version,
            event_id=new.event_id,
            cause_id=new.cause_id,
            actor=new.actor,
            type=e.type,
            schema_v=e.schema_v,
            data=msgspec.Raw(e.data),
            sealed=sealed,
            subject=e.subject,
            purpose=e.purpose if sealed else None,
        )
        rows.append(row)
    return rows


def _stream_id(new: NewEvent, shard: int) -> UUID:
    """What the database cannot know: the id names its kind, and one command is on one shard."""
    if prefix_of(new.stream) != new.event.prefix:
        raise ValueError(f"{new.stream} does not hold {new.event.wire()}")
    stream_id = read_id(new.stream)
    if shard_of(stream_id) != shard:
        raise ValueError(f"{new.stream} is not on shard {shard}")
    return stream_id


def effect_row(new: NewEffect) -> dict[str, object]:
    effect, shard = new.effect, shard_of(new.effect_id)
    if shard != shard_of(read_id(effect.stream)):
        raise ValueError(f"effect {new.effect_id} is not on the shard of its stream")
    return {
        "shard": shard,
        "effect_id": new.effect_id,
        "stream": effect.stream,
        "queue": effect.queue,
        "kind": effect.kind,
        "payload": effect.payload,
        "due_at": effect.due_at,
    }


def timer_row(new: NewTimer) -> dict[str, object]:
    timer = new.timer
    return {
        "shard": shard_of(read_id(timer.stream)),
        "timer_id": new.timer_id,
        "stream": timer.stream,
        "kind": timer.kind,
        "payload": timer.payload,
        "due_at": timer.due_at,
    }


def as_json(rows: Sequence[object]) -> str:
    return msgspec.json.encode(rows).decode()
