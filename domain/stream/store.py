"""Loading streams and appending to them: one query to load, one statement to append, no lock. The
primary key (shard, stream, version) is the version check. It decides nothing."""

from collections.abc import Sequence
from functools import cache
from typing import LiteralString
from uuid import UUID

import msgspec
from psycopg.errors import DeadlockDetected, UniqueViolation

from domain.kernel.ids import read_id, shard_of
from domain.kernel.message import Event
from domain.stream.batch import (
    Batch,
    NewEffect,
    NewEvent,
    NewTimer,
    as_json,
    effect_row,
    event_rows,
    timer_row,
)
from domain.stream.codec import Codec
from domain.stream.database import Connection
from domain.stream.keys import Opener
from domain.stream.lease import SETTLE, LeaseChange, LeaseLost, settle_values

__all__ = [
    "AlreadyLogged",
    "Batch",
    "BrokenStream",
    "Conflict",
    "LeaseChange",
    "LeaseLost",
    "Loaded",
    "NewEffect",
    "NewEvent",
    "NewTimer",
    "append",
    "find_command",
    "load",
]


class Conflict(Exception):
    """Somebody else wrote to one of the streams first, or PostgreSQL broke a deadlock. The same
    command may be what was first: look it up again before deciding again."""


class AlreadyLogged(Exception):
    """The command id is in the log already; nothing was written."""


class BrokenStream(Exception):
    """A stream with a gap: somebody deleted from the table."""


class Loaded(msgspec.Struct, frozen=True):
    events: list[Event]
    version: int


_LOAD = """
SELECT s.n, e.version, e.type, e.schema_v, e.data::text, e.sealed, e.subject, e.purpose,
       CASE WHEN e.sealed IS NOT NULL THEN (
         SELECT k.wrapped FROM subject_key k
          WHERE k.subject = e.subject AND k.purpose = e.purpose) END,
       CASE WHEN e.sealed IS NOT NULL THEN uuid_send(e.event_id) END
  FROM unnest(%s::smallint[], %s::uuid[]) WITH ORDINALITY AS s (shard, stream_id, n)
 CROSS JOIN LATERAL (
         SELECT * FROM event e
          WHERE e.shard = s.shard AND e.stream_id = s.stream_id
          ORDER BY e.version) e
"""


def load(connection: Connection, codec: Codec, streams: Sequence[str]) -> dict[str, Loaded]:
    """All events of the streams; a stream that holds none yet has version 0."""
    ids = [read_id(stream) for stream in streams]
    events: list[list[Event]] = [[] for _ in streams]
    opener = Opener(connection.kek)
    cursor = connection.execute(
        _LOAD, ([shard_of(id_) for id_ in ids], ids), prepare=True, binary=True
    )
    decode = codec.decode
    for n, version, wire, schema_v, data, sealed, subject, purpose, wrapped, aad in cursor:
        if version != len(events[n - 1]) + 1:
            raise BrokenStream(f"{streams[n - 1]} holds no version {len(events[n - 1]) + 1}")
        clear = None
        if sealed is not None:
            clear = opener.open_row((subject, purpose), wrapped, sealed, aad)
        events[n - 1].append(decode(wire, schema_v, data, clear))
    return {
        stream: Loaded(found, len(found)) for stream, found in zip(streams, events, strict=True)
    }


def find_command(
    connection: Connection, shard: int, command_id: UUID
) -> tuple[bytes, bytes] | None:
    """(request hash, result) of a command that was recorded before."""
    row = connection.execute(
        "SELECT request_hash, result::text FROM command_log WHERE shard = %s AND command_id = %s",
        (shard, command_id),
        prepare=True,
        binary=True,
    ).fetchone()
    return None if row is None else (row[0], row[1].encode())


# The lease, where there is one, is the source of every insert: no lease, no row. The command log
# is the main statement, which PostgreSQL runs before the other inserts, so that a repeated command
# is known as such and not mistaken for a conflict.
_LEASE: LiteralString = f"lease AS ({SETTLE} RETURNING 1)"
_COLUMNS: LiteralString = """
  INSERT INTO event (shard, stream_id, version, event_id, command_id, cause_id, actor,
                     type, schema_v, data, sealed, subject, purpose)
"""
# Most commands record one event, and without a set to unpack that costs a quarter less.
_EVENT: LiteralString = f"""
events AS ({_COLUMNS}
  SELECT %(shard)s, %(stream_id)s, %(version)s, %(event_id)s, %(command_id)s, %(cause_id)s::uuid,
         %(actor)s, %(type)s, %(schema_v)s, %(data)s::jsonb, decode(%(sealed)s, 'base64'),
         %(subject)s, %(purpose)s {{from_guard}})"""
_EVENTS: LiteralString = f"""
events AS ({_COLUMNS}
  SELECT %(shard)s, e.stream_id, e.version, e.event_id, %(command_id)s, e.cause_id, e.actor,
         e.type, e.schema_v, e.data, decode(e.sealed, 'base64'), e.subject, e.purpose
    FROM {{guard}} jsonb_to_recordset(%(events)s::jsonb) AS e (
         stream_id uuid, version int, event_id uuid, cause_id uuid, actor text, type text,
         schema_v smallint, data jsonb, sealed text, subject text, purpose text))"""  # noqa: S608
_EFFECTS: LiteralString = """
effects AS (
  INSERT INTO effect (shard, effect_id, stream, queue, kind, payload, due_at)
  SELECT e.shard, e.effect_id, e.stream, e.queue, e.kind, e.payload, e.due_at
    FROM {guard} jsonb_to_recordset(%(effects)s::jsonb) AS e (
         shard smallint, effect_id uuid, stream text, queue text, kind text, payload jsonb,
         due_at timestamptz))"""
_TIMERS: LiteralString = """
timers AS (
  INSERT INTO timer (shard, timer_id, stream, kind, payload, due_at)
  SELECT t.shard, t.timer_id, t.stream, t.kind, t.payload, t.due_at
    FROM {guard} jsonb_to_recordset(%(timers)s::jsonb) AS t (
         shard smallint, timer_id uuid, stream text, kind text, payload jsonb,
         due_at timestamptz)
  ON CONFLICT DO NOTHING)"""
_FIRED: LiteralString = """
fired AS (
  DELETE FROM timer WHERE shard = %(fired_shard)s AND timer_id = %(fired_timer)s {guarded})"""
_LOG: LiteralString = """
INSERT INTO command_log (shard, command_id, request_hash, result)
SELECT %(shard)s, %(command_id)s, %(request_hash)s, %(result)s::jsonb {from_guard}"""


@cache
def _statement(events: int, effects: bool, timers: bool, lease: bool, fired: bool) -> bytes:
    """`events` counts 0, 1 or 2 for more."""
    wanted = (lease, events == 1, events > 1, effects, timers, fired)
    parts = (_LEASE, _EVENT, _EVENTS, _EFFECTS, _TIMERS, _FIRED)
    tables = ",".join(part for part, want in zip(parts, wanted, strict=True) if want)
    text = f"WITH {tables} {_LOG}" if tables else _LOG
    return text.format(
        guard="lease," if lease else "",
        guarded="AND EXISTS (SELECT FROM lease)" if lease else "",
        from_guard="FROM lease" if lease else "",
    ).encode()


def append(connection: Connection, batch: Batch) -> None:
    """Writes the whole batch or nothing. Raises Conflict, AlreadyLogged or LeaseLost."""
    values: dict[str, object] = {
        "shard": batch.shard,
        "command_id": batch.command_id,
        "request_hash": batch.request_hash,
        "result": batch.result.decode(),
    }
    events = event_rows(connection, batch)
    if len(events) == 1:
        values |= msgspec.structs.asdict(events[0]) | {"data": bytes(events[0].data).decode()}
    elif events:
        values["events"] = as_json(events)
    if batch.effects:
        values["effects"] = as_json([effect_row(new) for new in batch.effects])
    if batch.timers:
        values["timers"] = as_json([timer_row(new) for new in batch.timers])
    if batch.lease:
        values |= settle_values(batch.lease)
    if batch.fired:
        values["fired_shard"], values["fired_timer"] = batch.fired
    statement = _statement(
        min(len(events), 2),
        bool(batch.effects),
        bool(batch.timers),
        batch.lease is not None,
        batch.fired is not None,
    )
    try:
        written = connection.execute(statement, values, prepare=True).rowcount
    except UniqueViolation as error:
        meaning = _MEANING.get(error.diag.constraint_name or "")
        if meaning is None:
            raise
        raise meaning(str(error)) from error
    except DeadlockDetected as error:
        raise Conflict(str(error)) from error
    if not written:
        raise LeaseLost(f"effect {batch.lease.effect_id if batch.lease else ''}")


_MEANING = {"event_pkey": Conflict, "command_log_pkey": AlreadyLogged}
