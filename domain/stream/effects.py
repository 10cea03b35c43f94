"""Effects as leased rows: claim, settle, park, release, and what is due. The row is the job; a
ring only wakes a worker. Leases and back-off follow database time, `due_at` the Clock."""

from collections.abc import Collection
from datetime import datetime
from typing import Literal, TypeAlias, cast
from uuid import UUID

import msgspec

from domain.kernel.ids import read_id, shard_of
from domain.kernel.message import Effect
from domain.stream.database import Connection
from domain.stream.lease import LEASE_S, SETTLE, LeaseChange, LeaseLost, settle_values

Was: TypeAlias = Literal["waiting", "leased", "unknown"]


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """`was` other than waiting means that a call may have happened: ask before sending."""

    effect_id: UUID
    shard: int
    token: UUID
    attempts: int
    was: Was
    effect: Effect

    def then(
        self,
        then: Literal["leased", "done", "unknown", "waiting"],
        *,
        not_before_s: float | None = None,
        result: dict[str, str] | None = None,
    ) -> LeaseChange:
        return LeaseChange(
            effect_id=self.effect_id,
            shard=self.shard,
            token=self.token,
            then=then,
            not_before_s=not_before_s,
            result=result,
        )


class Due(msgspec.Struct, frozen=True):
    effect_id: UUID
    queue: str
    kind: str


class ParkedEffect(msgspec.Struct, frozen=True, kw_only=True):
    effect_id: UUID
    stream: str
    kind: str
    attempts: int
    due_at: datetime
    error: str
    aside_at: datetime | None


PATIENCE_S = 20.0
"""A lost answer is asked about several times within this; later tries wait for a person."""

GIVEN_BACK_S = 1.0
"""Whoever found too many calls in line leaves them this time."""

_READY = """
(status IN ('waiting', 'unknown') AND (not_before IS NULL OR not_before <= clock_timestamp())
 OR status = 'leased' AND lease_until < clock_timestamp())
"""

_SHUT = """
EXISTS (SELECT FROM circuit c WHERE c.provider = payload->>'provider'
           AND (c.opening > c.closed OR c.held_until > clock_timestamp()))
"""
"""The provider that the effect would call is not called now: the effect waits, unclaimed."""

_CLAIM = f"""
WITH old AS (
  SELECT shard, effect_id, status FROM effect
   WHERE shard = %(shard)s AND effect_id = %(effect_id)s AND due_at <= %(now)s AND {_READY}
     AND NOT {_SHUT}
     FOR UPDATE SKIP LOCKED)
UPDATE effect e
   SET status = 'leased', attempts = attempts + 1, lease_token = gen_random_uuid(),
       lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
  FROM old
 WHERE e.shard = old.shard AND e.effect_id = old.effect_id
RETURNING e.lease_token, e.attempts, old.status, e.kind, e.stream, e.due_at, e.queue,
          e.payload::text
"""  # noqa: S608 constants only

_DUE = f"""
WITH ready AS (
  SELECT shard, effect_id, queue, kind, first_rung_at FROM effect
   WHERE status IN ('waiting', 'leased', 'unknown') AND due_at <= %(now)s AND {_READY}
     AND NOT {_SHUT}
   ORDER BY due_at LIMIT %(limit)s),
rung AS (
  UPDATE effect e SET first_rung_at = clock_timestamp()
    FROM ready r
   WHERE r.first_rung_at IS NULL AND e.shard = r.shard AND e.effect_id = r.effect_id)
SELECT effect_id, queue, kind FROM ready
"""  # noqa: S608 constants only


_DUE_OF = f"""
SELECT effect_id, queue, kind FROM effect
 WHERE status IN ('waiting', 'leased', 'unknown') AND kind = %(kind)s AND due_at <= %(now)s
   AND {_READY} AND NOT {_SHUT}
 ORDER BY due_at LIMIT %(limit)s
"""  # noqa: S608 constants only

_FRESH = f"""
UPDATE effect e SET first_rung_at = clock_timestamp()
  FROM (SELECT shard, effect_id FROM effect
         WHERE status IN ('waiting', 'leased', 'unknown') AND due_at <= %(now)s
           AND first_rung_at IS NULL AND {_READY}
         ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED) r
 WHERE e.shard = r.shard AND e.effect_id = r.effect_id
RETURNING e.effect_id, e.queue, e.kind
"""  # noqa: S608 constants only


_PENDING = f"""
SELECT kind, count(*) FROM effect
 WHERE status IN ('waiting', 'leased', 'unknown') AND due_at <= %(now)s
   AND (status = 'leased' OR kind <> 'probe_provider' AND NOT {_SHUT} AND (
          not_before IS NULL
          OR not_before <= clock_timestamp() + make_interval(secs => %(patience_s)s)))
 GROUP BY kind ORDER BY kind
"""  # noqa: S608 constants only


def claim(
    connection: Connection, effect_id: UUID, now: datetime, lease_s: float = LEASE_S
) -> Claimed | None:
    """The lease on an effect that is due, or None: settled, backing off, or somebody else's."""
    shard = shard_of(effect_id)
    values = {"shard": shard, "effect_id": effect_id, "now": now, "lease_s": lease_s}
    row = connection.execute(_CLAIM.encode(), values, prepare=True, binary=True).fetchone()
    if row is None:
        return None
    token, attempts, was, kind, stream, due_at, queue, payload = row
    effect = Effect(
        kind=kind,
        stream=stream,
        due_at=due_at,
        queue=queue,
        payload=msgspec.json.decode(payload, type=dict[str, str]),
    )
    return Claimed(
        effect_id=effect_id,
        shard=shard,
        token=token,
        attempts=attempts,
        was=cast(Was, was),
        effect=effect,
    )


def finish(connection: Connection, change: LeaseChange) -> None:
    """Settles a lease without a command. Raises LeaseLost."""
    if not connection.execute(SETTLE, settle_values(change), prepare=True).rowcount:
        raise LeaseLost(f"effect {change.effect_id}")


def give_back(connection: Connection, claimed: Claimed) -> None:
    """Nothing was done: the effect waits as it did, and the attempt does not count. Raises
    LeaseLost."""
    given = connection.execute(
        "UPDATE effect SET status = %s, attempts = attempts - 1, lease_token = NULL,"
        " lease_until = NULL, first_rung_at = NULL,"
        " not_before = clock_timestamp() + make_interval(secs => %s)"
        " WHERE shard = %s AND effect_id = %s AND status = 'leased' AND lease_token = %s",
        (
            "waiting" if claimed.was == "waiting" else "unknown",
            GIVEN_BACK_S,
            claimed.shard,
            claimed.effect_id,
            claimed.token,
        ),
    ).rowcount
    if not given:
        raise LeaseLost(f"effect {claimed.effect_id}")


def park(connection: Connection, claimed: Claimed, error: str) -> None:
    """Sets an effect aside until a person releases it. Raises LeaseLost."""
    parked = connection.execute(
        "UPDATE effect SET status = 'parked', error = %s, lease_token = NULL, lease_until = NULL,"
        " not_before = NULL, first_rung_at = NULL, parked_at = clock_timestamp()"
        " WHERE shard = %s AND effect_id = %s AND status = 'leased' AND lease_token = %s",
        (error, claimed.shard, claimed.effect_id, claimed.token),
    ).rowcount
    if not parked:
        raise LeaseLost(f"effect {claimed.effect_id}")


def release(
    connection: Connection, effect_id: UUID, to: Literal["unknown", "waiting"] = "unknown"
) -> bool:
    """Gives a parked effect back to the workers. As `unknown` it is asked about before it is
    sent again, which is right for whatever may have reached a provider."""
    released = connection.execute(
        "UPDATE effect SET status = %s, error = NULL, not_before = NULL, parked_at = NULL"
        " WHERE shard = %s AND effect_id = %s AND status = 'parked'",
        (to, shard_of(effect_id), effect_id),
    ).rowcount
    return bool(released)


def hurry(connection: Connection, stream: str) -> bool:
    """Ends the back-off of what is unknown about a stream, or of the question whether a provider
    answers; says whether there was any."""
    hurried = connection.execute(
        "UPDATE effect SET not_before = NULL WHERE shard = %s AND stream = %s"
        " AND (status = 'unknown' OR status = 'waiting' AND kind = 'probe_provider')",
        (shard_of(read_id(stream)), stream),
    ).rowcount
    return bool(hurried)


def is_open(connection: Connection, stream: str, kinds: Collection[str]) -> bool:
    """Whether one of these kinds is still to be done for a stream."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM effect WHERE shard = %s AND stream = %s AND kind = ANY(%s)"
        "  AND status <> 'done')",
        (shard_of(read_id(stream)), stream, list(kinds)),
        prepare=True,
    ).fetchone()
    return bool(row and row[0])


def doubt(connection: Connection, kinds: Collection[str]) -> int:
    """After a restore: what was waiting or leased may have been sent since the backup was made,
    so these kinds are asked about first."""
    return connection.execute(
        "UPDATE effect SET status = 'unknown', lease_token = NULL, lease_until = NULL,"
        " not_before = NULL, first_rung_at = NULL"
        " WHERE status IN ('waiting', 'leased') AND kind = ANY(%s)",
        (list(kinds),),
    ).rowcount


def due(connection: Connection, now: datetime, limit: int) -> list[Due]:
    """What a sweep should ring, longest due first; notes when each was rung first."""
    rows = connection.execute(
        _DUE.encode(), {"now": now, "limit": limit}, prepare=True, binary=True
    )
    return [Due(*row) for row in rows]


def due_unrung(connection: Connection, now: datetime, limit: int) -> list[Due]:
    """What became due and nobody has rung yet: for the ring right after the append."""
    rows = connection.execute(_FRESH.encode(), {"now": now, "limit": limit}, prepare=True)
    return [Due(*row) for row in rows]


def due_of(connection: Connection, kind: str, now: datetime, limit: int) -> list[Due]:
    """What of one kind can be claimed, longest due first."""
    rows = connection.execute(
        _DUE_OF.encode(), {"kind": kind, "now": now, "limit": limit}, prepare=True, binary=True
    )
    return [Due(*row) for row in rows]


def next_due_at(connection: Connection, now: datetime) -> datetime | None:
    """When the next one becomes due that is not due yet."""
    row = connection.execute(
        "SELECT min(due_at) FROM effect"
        " WHERE status IN ('waiting', 'leased', 'unknown') AND due_at > %s",
        (now,),
        prepare=True,
    ).fetchone()
    return row[0] if row else None


def pending(
    connection: Connection, now: datetime, patience_s: float = PATIENCE_S
) -> dict[str, int]:
    """How many are due and not settled, by kind. One that backs off for longer than the patience,
    or whose provider is not called now, is left out: it waits for the world, not for us. A leased
    one is being worked on; the probe of an open circuit is never waited for."""
    rows = connection.execute(
        _PENDING.encode(),
        {"now": now, "patience_s": patience_s},
        prepare=True,
    )
    return {str(kind): int(number) for kind, number in rows}


def list_parked(connection: Connection, limit: int = 500) -> list[ParkedEffect]:
    rows = connection.execute(
        "SELECT effect_id, stream, kind, attempts, due_at, error, parked_at FROM effect"
        " WHERE status = 'parked' ORDER BY due_at LIMIT %s",
        (limit,),
    )
    names = ParkedEffect.__struct_fields__
    return [ParkedEffect(**dict(zip(names, row, strict=True))) for row in rows]
