"""Invariants 20 and 34: every stored notification ends, every effect is done, planned, leased or
parked where a person sees it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import LiteralString, TypeAlias

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

Aside: TypeAlias = tuple[datetime | None, str, str]
"""When it was set aside, the case that tells of it, what it is."""


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
    aside: list[Aside] = [
        (one.aside_at, notification_case(one), one.provider)
        for one in health_of(connection).quarantined
    ]
    yield from _untold(connection, "20", aside)


def jobs(connection: Connection) -> Iterator[Broken]:
    """34, measured to the ticker's last heartbeat: a stopped Kontor has no stuck effects."""
    for row in connection.execute(_STUCK, (2 * LEASE_S,)):
        yield Broken(invariant="34", subject=row[0], what="it was rung long ago and still waits")
    for row in connection.execute(_DEAD_LEASE, (2 * LEASE_S,)):
        yield Broken(invariant="34", subject=row[0], what="its lease ran out long ago")
    seen = health_of(connection)
    aside: list[Aside] = [
        (one.aside_at, effect_case(one), str(one.effect_id)) for one in seen.parked_effects
    ]
    aside += [
        (one.aside_at, stream_case(one), f"{one.stream} for {one.consumer}")
        for one in seen.parked_streams
    ]
    aside += [
        (one.aside_at, timer_case(one), f"{one.kind} of {one.stream}")
        for one in seen.refused_timers
    ]
    yield from _untold(connection, "34", aside)


def _untold(connection: Connection, invariant: str, aside: Sequence[Aside]) -> Iterator[Broken]:
    """What the ticker had the time to tell somebody, by its last heartbeat, and did not. What was
    set aside at no time was not set aside by us."""
    beat = clock.last_beat(connection, BEAT)
    for at, case, subject in aside:
        if at is None or (beat is not None and at < beat - TOLD_WITHIN):
            yield from _told(connection, invariant, case, subject)


def _told(connection: Connection, invariant: str, case: str, subject: str) -> Iterator[Broken]:
    """A person was told: the case of it exists."""
    found = connection.execute(
        "SELECT EXISTS (SELECT FROM event WHERE shard = %s AND stream_id = %s)",
        (shard_of(read_id(case)), read_id(case)),
    ).fetchone()
    if found != (True,):
        yield Broken(invariant=invariant, subject=subject, what="it is set aside without a case")
