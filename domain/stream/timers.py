"""Timers: commands for later as rows. The append that carries out a timer's command deletes it."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.kernel.message import Timer
from domain.stream.database import Connection


class DueTimer(msgspec.Struct, frozen=True, kw_only=True):
    shard: int
    timer_id: UUID
    timer: Timer


def due(connection: Connection, now: datetime, limit: int) -> list[DueTimer]:
    """In the order in which they fall due. Firing one twice is harmless: its command id is its
    own id, and the command log knows it."""
    rows = connection.execute(
        "SELECT shard, timer_id, kind, stream, due_at, payload::text FROM timer"
        " WHERE due_at <= %s ORDER BY due_at, timer_id LIMIT %s",
        (now, limit),
        prepare=True,
        binary=True,
    )
    return [
        DueTimer(
            shard=shard,
            timer_id=timer_id,
            timer=Timer(
                kind=kind,
                stream=stream,
                due_at=due_at,
                payload=msgspec.json.decode(payload, type=dict[str, str]),
            ),
        )
        for shard, timer_id, kind, stream, due_at, payload in rows
    ]


def next_due_at(connection: Connection) -> datetime | None:
    row = connection.execute("SELECT min(due_at) FROM timer", prepare=True).fetchone()
    return row[0] if row else None


def drop(connection: Connection, shard: int, timer_id: UUID) -> None:
    """For a timer whose command was recorded before, by a firing that died in between."""
    connection.execute("DELETE FROM timer WHERE shard = %s AND timer_id = %s", (shard, timer_id))
