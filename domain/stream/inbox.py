"""The inbox: raw notifications, sealed with the house key and byte-identical when opened, stored
with their translate effect in one statement. It verifies and translates nothing."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Literal, TypeAlias
from uuid import UUID, uuid4

import msgspec
from psycopg.rows import TupleRow

from domain.kernel.ids import name_uuid, on_shard, shard_of, write_id
from domain.stream.database import Connection
from domain.stream.effects import Claimed
from domain.stream.keys import house_key, open_, seal
from domain.stream.lease import LeaseLost

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


@cache
def _provider_uuid(provider: str) -> UUID:
    return name_uuid("provider", provider)


@cache
def hook_stream(provider: str) -> str:
    """What translate effects stand at: one name per provider, no stream of events."""
    return write_id("hook", _provider_uuid(provider))


# One translate effect for each object: it is armed by the first hint and reads all that wait. Its
# payload names the newest hint, so that a worker at its end sees whether another one came. Rows and
# effects are locked in one order: two processes that store the same hints never deadlock.
_RECEIVE = """
WITH given AS (
  SELECT * FROM unnest(
    %(provider)s::text[], %(notification_id)s::text[], %(object_id)s::text[],
    %(headers)b::bytea[], %(body)b::bytea[], %(verdict)s::text[], %(needless)s::text[],
    %(effect_id)s::uuid[], %(shard)s::smallint[], %(stream)s::text[])
    AS g (provider, notification_id, object_id, headers, body, verdict, needless, effect_id,
          shard, stream)),
stored AS (
  INSERT INTO inbox (provider, notification_id, object_id, headers, body, verdict, effect_id,
                     state, reason, settled_at)
  SELECT provider, notification_id, object_id, headers, body, verdict, effect_id,
         CASE needless WHEN '' THEN 'waiting' ELSE 'ignored' END, nullif(needless, ''),
         CASE needless WHEN '' THEN NULL ELSE clock_timestamp() END
    FROM given ORDER BY provider, notification_id
  ON CONFLICT DO NOTHING
  RETURNING provider, notification_id, object_id, effect_id, state),
armed AS (
  INSERT INTO effect AS e (shard, effect_id, stream, queue, kind, payload, due_at)
  SELECT g.shard, effect_id, min(g.stream), 'effects', %(kind)s, jsonb_strip_nulls(
           jsonb_build_object('provider', min(provider), 'object_id', min(s.object_id),
                              'notification_id', max(notification_id))),
         (SELECT coalesce(clock, clock_timestamp()) FROM installation)
    FROM stored s JOIN given g USING (provider, notification_id, effect_id)
   WHERE s.state = 'waiting'
   GROUP BY g.shard, effect_id ORDER BY effect_id
  ON CONFLICT (shard, effect_id) DO UPDATE
    SET payload = excluded.payload,
        status = CASE e.status WHEN 'leased' THEN 'leased' ELSE 'waiting' END,
        due_at = CASE e.status WHEN 'leased' THEN e.due_at ELSE excluded.due_at END,
        attempts = CASE e.status WHEN 'leased' THEN e.attempts ELSE 0 END,
        not_before = NULL, first_rung_at = NULL, error = NULL
    WHERE e.status IN ('leased', 'done', 'parked'))
SELECT provider, notification_id FROM stored
"""
_AGAIN_WITH_EFFECT = b"""
WITH stored AS (
  UPDATE inbox SET state = 'waiting', reason = NULL, settled_at = NULL, tries = tries + 1,
                   effect_id = %(effect_id)s
   WHERE provider = %(provider)s AND notification_id = %(notification_id)s
     AND state = 'quarantined'
  RETURNING 1)
INSERT INTO effect (shard, effect_id, stream, queue, kind, payload, due_at)
SELECT %(shard)s, %(effect_id)s, %(stream)s, 'effects', %(kind)s, %(payload)s::jsonb,
       (SELECT coalesce(clock, clock_timestamp()) FROM installation)
  FROM stored
"""
_ENDED = b"""
UPDATE effect
   SET status = CASE payload->>'notification_id' WHEN %(newest)s THEN 'done' ELSE 'waiting' END,
       lease_token = NULL, lease_until = NULL, not_before = NULL, error = NULL,
       first_rung_at = CASE payload->>'notification_id' WHEN %(newest)s THEN first_rung_at END
 WHERE shard = %(shard)s AND effect_id = %(effect_id)s
   AND status = 'leased' AND lease_token = %(token)s
"""


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """A notification as it came in. `object_id` is what it is about, where it says so; `needless`
    is why nothing has to be done about it."""

    provider: str
    notification_id: str
    object_id: str | None
    headers: Mapping[str, str]
    body: bytes
    verdict: Verdict
    needless: str = ""


def receive(connection: Connection, hint: Hint) -> UUID | None:
    """Stores a notification once; the effect that will read it, or None for a repeated one."""
    return receive_all(connection, [hint])[0]


def receive_all(connection: Connection, hints: Sequence[Hint]) -> list[UUID | None]:
    """The same for several, in one statement and one commit."""
    key = house_key(connection)
    rows = [sealed_row(key, hint) for hint in hints]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    stored = connection.execute(
        _RECEIVE.encode(), {**columns, "kind": TRANSLATE}, prepare=True
    ).fetchall()
    left = {(provider, notification_id) for provider, notification_id in stored}
    answers: list[UUID | None] = []
    for hint, effect_id in zip(hints, columns["effect_id"], strict=True):
        name = (hint.provider, hint.notification_id)
        answers.append(effect_id if name in left and isinstance(effect_id, UUID) else None)
        left.discard(name)
    return answers


def sealed_row(key: bytes, hint: Hint) -> dict[str, object]:
    """The columns of a hint, its content sealed."""
    aad = _aad(hint.provider, hint.notification_id)
    stream_id = _provider_uuid(hint.provider)
    about = hint.notification_id if hint.object_id is None else hint.object_id
    kind = "notification" if hint.object_id is None else "object"
    shard = shard_of(stream_id)
    return {
        "provider": hint.provider,
        "notification_id": hint.notification_id,
        "object_id": hint.object_id,
        "headers": seal(key, msgspec.json.encode(dict(hint.headers)), aad + b"headers"),
        "body": seal(key, hint.body, aad + b"body"),
        "verdict": hint.verdict,
        "needless": hint.needless,
        "effect_id": on_shard(name_uuid("translate", hint.provider, kind, about), shard),
        "shard": shard,
        "stream": hook_stream(hint.provider),
    }


def translated(connection: Connection, claimed: Claimed) -> None:
    """Ends the work of a translate effect, unless a hint came after it began: then it waits to be
    done again. Raises LeaseLost."""
    values = {
        "newest": claimed.effect.payload["notification_id"],
        "shard": claimed.shard,
        "effect_id": claimed.effect_id,
        "token": claimed.token,
    }
    if not connection.execute(_ENDED, values, prepare=True).rowcount:
        raise LeaseLost(f"effect {claimed.effect_id}")


def retranslate(connection: Connection, provider: str, notification_id: str) -> UUID | None:
    """A quarantined notification waits again, with a fresh effect; None when it was not there."""
    stream_id = _provider_uuid(provider)
    effect_id = on_shard(uuid4(), shard_of(stream_id))
    values = {
        "provider": provider,
        "notification_id": notification_id,
        "shard": shard_of(stream_id),
        "effect_id": effect_id,
        "stream": hook_stream(provider),
        "kind": TRANSLATE,
        "payload": msgspec.json.encode(
            {"provider": provider, "notification_id": notification_id}
        ).decode(),
    }
    stored = connection.execute(_AGAIN_WITH_EFFECT, values, prepare=True).rowcount
    return effect_id if stored else None


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
    """How many can be read now: those of a provider that is not called wait for it, those of a
    parked effect for a person."""
    row = connection.execute(
        "SELECT count(*) FROM inbox i WHERE state = 'waiting' AND NOT EXISTS ("
        "SELECT FROM circuit c WHERE c.provider = i.provider"
        "   AND (c.opening > c.closed OR c.held_until > clock_timestamp()))"
        " AND NOT EXISTS (SELECT FROM effect e"
        "   WHERE e.status = 'parked' AND e.effect_id = i.effect_id)"
    ).fetchone()
    return int(row[0]) if row else 0


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
