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


class RefusedTimer(msgspec.Struct, frozen=True, kw_only=True):
    """Due, but its command was refused; `aside_at` is when that was said first."""

    timer_id: UUID
    stream: str
    kind: str
    error: str
    aside_at: datetime


AGAIN_S = 60.0
"""How often a refused command is tried again, by database time; a step of the Clock ends it."""


def due(connection: Connection, now: datetime, limit: int) -> list[DueTimer]:
    """In the order in which they fall due, without those that were refused a moment ago. Firing one
    twice is harmless: its command id is its own id, and the command log knows it."""
    rows = connection.execute(
        "SELECT shard, timer_id, kind, stream, due_at, payload::text FROM timer"
        " WHERE due_at <= %s AND (not_before IS NULL OR not_before <= clock_timestamp())"
        " ORDER BY due_at, timer_id LIMIT %s",
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
    """Of those that were not refused: time alone helps none of these."""
    row = connection.execute(
        "SELECT min(due_at) FROM timer WHERE refused IS NULL", prepare=True
    ).fetchone()
    return row[0] if row else None


def refuse(connection: Connection, one: DueTimer, why: str) -> None:
    """Sets a timer aside for a while; it goes by itself when its command is accepted."""
    connection.execute(
        "UPDATE timer SET refused = %s, refused_at = coalesce(refused_at, clock_timestamp()),"
        " not_before = clock_timestamp() + make_interval(secs => %s)"
        " WHERE shard = %s AND timer_id = %s",
        (why, AGAIN_S, one.shard, one.timer_id),
    )


def try_again(connection: Connection) -> None:
    """Whatever was refused may fit now."""
    connection.execute("UPDATE timer SET not_before = NULL WHERE refused IS NOT NULL")


def list_refused(connection: Connection, limit: int) -> list[RefusedTimer]:
    rows = connection.execute(
        "SELECT timer_id, stream, kind, refused, refused_at FROM timer"
        " WHERE refused IS NOT NULL ORDER BY refused_at LIMIT %s",
        (limit,),
    )
    names = RefusedTimer.__struct_fields__
    return [RefusedTimer(**dict(zip(names, row, strict=True))) for row in rows]


def drop(connection: Connection, shard: int, timer_id: UUID) -> None:
    """For a timer whose command was recorded before, by a firing that died in between."""
    connection.execute("DELETE FROM timer WHERE shard = %s AND timer_id = %s", (shard, timer_id))
