"""Exports as a worker has them: claimed under a lease, written piece by piece, ended; and what the
ticker rings and clears away. The row is the job. Leases and ages follow database time."""

from uuid import UUID

import msgspec

from domain.kernel.value import Value
from domain.operating.exporting import KEPT_HOURS, label
from domain.readmodels.exports import Asked, Dress
from domain.stream.database import Connection
from domain.stream.keys import house_key, open_, seal

LEASE_S = 90.0
STATEMENT_S = 80.0
"""A fetch that takes longer is ended: the lease outlasts every single statement."""
assert LEASE_S > STATEMENT_S
ATTEMPTS_MAX = 3
"""An export that lost its worker three times would lose the next one, too."""
RING_AGAIN_S = 5.0


class Stopped(Exception):
    """The export was cancelled, or another worker has it. Nothing was written."""


class Claimed(Value):
    """The lease on an export. `permitted`: who asked may still have this list."""

    id: UUID
    token: UUID
    list: str
    asked: Asked
    dress: Dress
    permitted: bool


class Progress(Value):
    """How far the file has come."""

    rows: int = 0
    chunks: int = 0
    bytes: int = 0


_MINE = "id = %(id)s AND state = 'running' AND lease_token = %(token)s"
_LEFT = "(state = 'waiting' OR state = 'running' AND lease_until < clock_timestamp())"
_RENEWED = f"clock_timestamp() + make_interval(secs => {LEASE_S})"
_OVER = "asked = NULL, lease_token = NULL, lease_until = NULL, ended_at = clock_timestamp()"

_CLAIM = f"""
UPDATE export e
   SET state = 'running', attempts = attempts + 1, lease_token = gen_random_uuid(),
       lease_until = {_RENEWED}, rows_done = 0, rows_total = NULL, chunks = 0, bytes = 0
 WHERE id = %s AND attempts < {ATTEMPTS_MAX} AND {_LEFT}
RETURNING id, lease_token, list, asked, dress::text,
          EXISTS (SELECT 1 FROM staff s WHERE s.id = e.requested_by AND s.disabled_at IS NULL
                     AND s.role = ANY (e.roles))
"""  # noqa: S608 constants only
_PROGRESS = f"""
UPDATE export SET rows_done = %(rows)s, chunks = %(chunks)s, bytes = %(bytes)s,
       lease_until = {_RENEWED}
 WHERE {_MINE}
RETURNING id
"""  # noqa: S608 constants only
_CHUNK = f"""
WITH mine AS ({_PROGRESS})
INSERT INTO export_chunk (export_id, n, body) SELECT id, %(n)s, %(body)s FROM mine
"""  # noqa: S608 constants only
_TOTAL = f"UPDATE export SET rows_total = %(rows)s, lease_until = {_RENEWED} WHERE {_MINE}"  # noqa: S608 constants only
_DONE = f"UPDATE export SET state = 'done', {_OVER} WHERE {_MINE}"  # noqa: S608 constants only
_FAILED = f"UPDATE export SET state = 'failed', reason = %(reason)s, {_OVER} WHERE {_MINE}"  # noqa: S608 constants only
_AGAIN = f"""
UPDATE export SET state = 'waiting', lease_token = NULL, lease_until = NULL,
       rung_at = clock_timestamp()
 WHERE {_MINE}
"""  # noqa: S608 constants only
_DUE = f"""
UPDATE export SET rung_at = clock_timestamp()
 WHERE id IN (SELECT id FROM export
               WHERE state IN ('waiting', 'running') AND {_LEFT}
                 AND (rung_at IS NULL
                      OR rung_at < clock_timestamp() - make_interval(secs => {RING_AGAIN_S}))
               ORDER BY requested_at LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id
"""  # noqa: S608 constants only
_GIVE_UP = f"""
UPDATE export SET state = 'failed', reason = 'gave-up', {_OVER}
 WHERE state IN ('waiting', 'running') AND attempts >= {ATTEMPTS_MAX} AND {_LEFT}
RETURNING id
"""  # noqa: S608 constants only
_AGED = f"""
UPDATE export SET gone_at = clock_timestamp()
 WHERE ended_at < clock_timestamp() - interval '{KEPT_HOURS} hours' AND gone_at IS NULL
   AND ended_at IS NOT NULL
RETURNING id
"""  # noqa: S608 constants only


def claim(connection: Connection, export_id: UUID) -> Claimed | None:
    """The lease, or None: over, or somebody else's. A take-over begins from nothing."""
    with connection.transaction():
        row = connection.execute(_CLAIM.encode(), (export_id,), binary=True).fetchone()
        if row is None:
            return None
        _drop(connection, [export_id])
    asked = open_(house_key(connection), bytes(row[3]), export_id.bytes)
    return Claimed(
        id=row[0],
        token=row[1],
        list=row[2],
        asked=msgspec.json.decode(asked, type=Asked),
        dress=msgspec.json.decode(row[4], type=Dress),
        permitted=row[5],
    )


def total(connection: Connection, lease: Claimed, rows: int | None) -> None:
    """Raises Stopped, like everything that a lease guards."""
    _guarded(connection, lease, _TOTAL, rows=rows)


def progress(connection: Connection, lease: Claimed, far: Progress) -> None:
    values = msgspec.structs.asdict(far)
    _guarded(connection, lease, _PROGRESS, **values)


def add_chunk(connection: Connection, lease: Claimed, far: Progress, chunk: bytes) -> None:
    """The last of the `far.chunks` pieces so far."""
    n = far.chunks - 1
    body = seal(house_key(connection), chunk, label(lease.id, n))
    _guarded(connection, lease, _CHUNK, **msgspec.structs.asdict(far), n=n, body=body)


def done(connection: Connection, lease: Claimed) -> None:
    _guarded(connection, lease, _DONE)


def failed(connection: Connection, lease: Claimed, reason: str) -> None:
    with connection.transaction():
        _guarded(connection, lease, _FAILED, reason=reason)
        _drop(connection, [lease.id])


def again(connection: Connection, lease: Claimed) -> None:
    """After a trouble that may pass: a later sweep rings again."""
    _guarded(connection, lease, _AGAIN)


def due(connection: Connection, limit: int) -> list[UUID]:
    """What the ticker rings: waiting, or left behind by its worker. First come, first served."""
    with connection.transaction():
        _drop(connection, _ids(connection, _GIVE_UP))
    return [row[0] for row in connection.execute(_DUE.encode(), (limit,), prepare=True)]


def expire(connection: Connection) -> int:
    """Deletes the files of yesterday; their rows stay and say so."""
    with connection.transaction():
        aged = _ids(connection, _AGED)
        _drop(connection, aged)
    return len(aged)


def _guarded(connection: Connection, lease: Claimed, query: str, **values: object) -> None:
    values |= {"id": lease.id, "token": lease.token}
    if not connection.execute(query.encode(), values).rowcount:
        raise Stopped(str(lease.id))


def _ids(connection: Connection, query: str) -> list[UUID]:
    return [row[0] for row in connection.execute(query.encode(), prepare=True)]


def _drop(connection: Connection, ids: list[UUID]) -> None:
    if ids:
        connection.execute("DELETE FROM export_chunk WHERE export_id = ANY(%s)", (ids,))
