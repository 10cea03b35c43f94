"""The inbox: raw notifications, sealed with the house key and byte-identical when opened, stored
with their translate effect in one statement. It verifies and translates nothing."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID, uuid4

import msgspec
from psycopg.rows import TupleRow

from domain.kernel.ids import name_uuid, on_shard, shard_of, write_id
from domain.stream.database import Connection
from domain.stream.keys import house_key, open_, seal

TRANSLATE = "translate"

Verdict: TypeAlias = Literal["verified", "undecided"]
Settled: TypeAlias = Literal["applied", "duplicate", "ignored", "quarantined"]


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    provider: str
    notification_id: str
    object_id: str | None
    headers: dict[str, str]
    body: bytes
    verdict: str
    state: str
    reason: str | None
    effect_id: UUID
    tries: int
    received_at: datetime


def hook_stream(provider: str) -> str:
    """What translate effects stand at: one name per provider, no stream of events."""
    return write_id("hook", name_uuid("provider", provider))


_RECEIVE = """
WITH stored AS (
  INSERT INTO inbox (provider, notification_id, object_id, headers, body, verdict, effect_id)
  VALUES (%(provider)s, %(notification_id)s, %(object_id)s, %(headers)s, %(body)s, %(verdict)s,
          %(effect_id)s)
  ON CONFLICT DO NOTHING
  RETURNING 1)
"""
_AGAIN = """
WITH stored AS (
  UPDATE inbox SET state = 'waiting', reason = NULL, settled_at = NULL, tries = tries + 1,
                   effect_id = %(effect_id)s
   WHERE provider = %(provider)s AND notification_id = %(notification_id)s
     AND state = 'quarantined'
  RETURNING 1)
"""
# Due at once, whatever the Clock shows: a notification is a fact of now.
_WITH_EFFECT = """
INSERT INTO effect (shard, effect_id, stream, queue, kind, payload, due_at)
SELECT %(shard)s, %(effect_id)s, %(stream)s, 'effects', %(kind)s, %(payload)s::jsonb,
       (SELECT coalesce(clock, clock_timestamp()) FROM installation)
  FROM stored
"""
_RECEIVE_WITH_EFFECT = (_RECEIVE + _WITH_EFFECT).encode()
_AGAIN_WITH_EFFECT = (_AGAIN + _WITH_EFFECT).encode()


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as it came in. `object_id` is what it is about, where it says so."""

    provider: str
    notification_id: str
    object_id: str | None
    headers: Mapping[str, str]
    body: bytes
    verdict: Verdict


def receive(connection: Connection, hint: Hint) -> UUID | None:
    """Stores a notification once; the effect to ring, or None for a repeated one."""
    key = house_key(connection)
    aad = _aad(hint.provider, hint.notification_id)
    values = _effect_values(hint.provider, hint.notification_id, uuid4()) | {
        "object_id": hint.object_id,
        "headers": seal(key, msgspec.json.encode(dict(hint.headers)), aad + b"headers"),
        "body": seal(key, hint.body, aad + b"body"),
        "verdict": hint.verdict,
    }
    return _effect_of(connection, _RECEIVE_WITH_EFFECT, values)


def retranslate(connection: Connection, provider: str, notification_id: str) -> UUID | None:
    """A quarantined notification waits again, with a fresh effect; None when it was not there."""
    values = _effect_values(provider, notification_id, uuid4())
    return _effect_of(connection, _AGAIN_WITH_EFFECT, values)


_COLUMNS = """
SELECT provider, notification_id, object_id, headers, body, verdict, state, reason, effect_id,
       tries, received_at
  FROM inbox
"""


def load_notification(
    connection: Connection, provider: str, notification_id: str
) -> Notification | None:
    row = connection.execute(
        (_COLUMNS + "WHERE provider = %s AND notification_id = %s").encode(),
        (provider, notification_id),
        prepare=True,
        binary=True,
    ).fetchone()
    return None if row is None else _notification(house_key(connection), row)


def waiting_for_object(connection: Connection, provider: str, object_id: str) -> list[Notification]:
    """Every hint about one object that still waits: it is fetched once for all of them."""
    return _all(
        connection,
        _COLUMNS + "WHERE provider = %s AND object_id = %s AND state = 'waiting'"
        " ORDER BY received_at",
        (provider, object_id),
    )


def quarantined(connection: Connection, limit: int = 200) -> list[Notification]:
    return _all(
        connection,
        _COLUMNS + "WHERE state = 'quarantined' ORDER BY received_at LIMIT %s",
        (limit,),
    )


def settle(
    connection: Connection,
    provider: str,
    notification_ids: Collection[str],
    state: Settled,
    reason: str | None = None,
) -> int:
    """Ends the waiting of these notifications; says how many still waited."""
    return connection.execute(
        "UPDATE inbox SET state = %s, reason = %s, settled_at = clock_timestamp()"
        " WHERE provider = %s AND notification_id = ANY(%s) AND state = 'waiting'",
        (state, reason, provider, list(notification_ids)),
        prepare=True,
    ).rowcount


def waiting_count(connection: Connection) -> int:
    row = connection.execute("SELECT count(*) FROM inbox WHERE state = 'waiting'").fetchone()
    return int(row[0]) if row else 0


def _effect_values(provider: str, notification_id: str, fresh: UUID) -> dict[str, object]:
    stream_id = name_uuid("provider", provider)
    payload = {"provider": provider, "notification_id": notification_id}
    return {
        "provider": provider,
        "notification_id": notification_id,
        "shard": shard_of(stream_id),
        "effect_id": on_shard(fresh, shard_of(stream_id)),
        "stream": hook_stream(provider),
        "kind": TRANSLATE,
        "payload": msgspec.json.encode(payload).decode(),
    }


def _effect_of(connection: Connection, statement: bytes, values: dict[str, object]) -> UUID | None:
    stored = connection.execute(statement, values, prepare=True).rowcount
    effect_id = values["effect_id"]
    return effect_id if stored and isinstance(effect_id, UUID) else None


def _all(connection: Connection, query: str, values: tuple[object, ...]) -> list[Notification]:
    rows = connection.execute(query.encode(), values, prepare=True, binary=True).fetchall()
    if not rows:
        return []
    key = house_key(connection)
    return [_notification(key, row) for row in rows]


def _notification(key: bytes, row: TupleRow) -> Notification:
    provider, notification_id, object_id, headers, body, *rest = row
    verdict, state, reason, effect_id, tries, received_at = rest
    aad = _aad(provider, notification_id)
    return Notification(
        provider=provider,
        notification_id=notification_id,
        object_id=object_id,
        headers=msgspec.json.decode(open_(key, headers, aad + b"headers"), type=dict[str, str]),
        body=open_(key, body, aad + b"body"),
        verdict=verdict,
        state=state,
        reason=reason,
        effect_id=effect_id,
        tries=tries,
        received_at=received_at,
    )


def _aad(provider: str, notification_id: str) -> bytes:
    return f"{provider}\x1f{notification_id}\x1f".encode()
