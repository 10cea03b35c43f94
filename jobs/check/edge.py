"""Invariants 20 and 34: every stored notification ends, every effect is done, planned, leased or
parked where a person sees it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import LiteralString

from domain.kernel.ids import read_id, shard_of
from domain.operating import effect_case, health_of, notification_case, stream_case, timer_case
from domain.stream import clock, inbox
from domain.stream.database import Connection
from domain.stream.keys import CannotOpen
from domain.stream.lease import LEASE_S
from jobs.check.broken import Broken
from jobs.ticker import BEAT, SWEEP_S

TOLD_WITHIN = timedelta(seconds=6 * SWEEP_S)
"""The ticker opens cases with its sweeps; one or two may come late on a busy machine."""
_STUCK: LiteralString = """
SELECT effect_id::text FROM effect
 WHERE (status = 'waiting' OR status = 'unknown') AND first_rung_at IS NOT NULL
   AND (not_before IS NULL OR not_before < first_rung_at)
   AND first_rung_at < (SELECT at FROM heartbeat WHERE name = 'ticker')
                       - make_interval(secs => %s)
"""
_DEAD_LEASE: LiteralString = """
SELECT effect_id::text FROM effect WHERE status = 'leased'
   AND lease_until < (SELECT at FROM heartbeat WHERE name = 'ticker') - make_interval(secs => %s)
"""
_FORGOTTEN: LiteralString = """
SELECT i.provider || ' ' || i.notification_id FROM inbox i
  LEFT JOIN effect e ON e.effect_id = i.effect_id
 WHERE i.state = 'waiting' AND (e.effect_id IS NULL OR e.status = 'done')
"""


def notifications(connection: Connection) -> Iterator[Broken]:
    """20: stored ones open byte-identical, and none waits without somebody who will read it."""
    for row in connection.execute(_FORGOTTEN):
        yield Broken(invariant="20", subject=row[0], what="it waits and nobody will read it")
    rows = connection.execute("SELECT provider, notification_id FROM inbox").fetchall()
    for provider, notification_id in rows:
        try:
            inbox.load_notification(connection, provider, notification_id)
        except CannotOpen as error:
            yield Broken(invariant="20", subject=f"{provider} {notification_id}", what=str(error))
    for one in health_of(connection).quarantined:
        if _by_now(connection, one.aside_at):
            yield from _told(connection, "20", notification_case(one), one.provider)


def jobs(connection: Connection) -> Iterator[Broken]:
    """34, measured to the ticker's last heartbeat: a stopped Kontor has no stuck effects."""
    for row in connection.execute(_STUCK, (2 * LEASE_S,)):
        yield Broken(invariant="34", subject=row[0], what="it was rung long ago and still waits")
    for row in connection.execute(_DEAD_LEASE, (2 * LEASE_S,)):
        yield Broken(invariant="34", subject=row[0], what="its lease ran out long ago")
    seen = health_of(connection)
    for effect in seen.parked_effects:
        if _by_now(connection, effect.aside_at):
            yield from _told(connection, "34", effect_case(effect), str(effect.effect_id))
    for stream in seen.parked_streams:
        if _by_now(connection, stream.aside_at):
            about = f"{stream.stream} for {stream.consumer}"
            yield from _told(connection, "34", stream_case(stream), about)
    for timer in seen.refused_timers:
        if _by_now(connection, timer.aside_at):
            yield from _told(connection, "34", timer_case(timer), f"{timer.kind} of {timer.stream}")


def _by_now(connection: Connection, aside_at: datetime | None) -> bool:
    """Whether the ticker had the time to tell somebody, by its last heartbeat. What was set aside
    at no time was not set aside by us."""
    beat = clock.last_beat(connection, BEAT)
    return aside_at is None or (beat is not None and aside_at < beat - TOLD_WITHIN)


def _told(connection: Connection, invariant: str, case: str, subject: str) -> Iterator[Broken]:
    """A person was told: the case of it exists."""
    found = connection.execute(
        "SELECT EXISTS (SELECT FROM event WHERE shard = %s AND stream_id = %s)",
        (shard_of(read_id(case)), read_id(case)),
    ).fetchone()
    if found != (True,):
        yield Broken(invariant=invariant, subject=subject, what="it is set aside without a case")
