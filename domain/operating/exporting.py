"""Exports as a person has them: asked for, looked at, cancelled, fetched. Each is a row, and its
file sealed pieces that are kept for a day. The worker's side is `export_work`."""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from domain.kernel.message import Refused
from domain.kernel.value import Value
from domain.readmodels.exports import Asked, Dress
from domain.stream.database import Connection
from domain.stream.keys import house_key, open_, seal

OPEN_MAX = 3
"""Exports that one person may have under way: the worker writes one after the other."""
KEPT_HOURS = 24
SHOWN_MAX = 100
"""On the page "My exports"; older rows stay in the table."""

State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]


class Gone(Exception):
    """A piece of the file is not there (any more)."""


class Wanted(Value):
    """What a person asked for. `roles`: who may have this list, checked again when it is run."""

    id: UUID
    list: str
    requested_by: str
    roles: frozenset[str]
    asked: Asked
    dress: Dress


class Export(Value):
    """`reason` says why it failed: permission, too-large, gave-up, defect. `kept_until` and
    `gone_at` are about the file of one that is done."""

    id: UUID
    list: str
    requested_by: str
    state: State
    reason: str | None
    rows_done: int
    rows_total: int | None
    chunks: int
    bytes: int
    requested_at: datetime
    ended_at: datetime | None
    kept_until: datetime | None
    gone_at: datetime | None
    now: datetime

    @property
    def open(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def there(self) -> bool:
        """The file can be fetched."""
        kept = self.kept_until is not None and self.now < self.kept_until
        return self.state == "done" and self.gone_at is None and kept

    @property
    def percent(self) -> int:
        return min(100, 100 * self.rows_done // self.rows_total) if self.rows_total else 0


def request(connection: Connection, wanted: Wanted) -> None:
    """Raises Refused when the person has too many under way. The same id twice is one export."""
    with connection.transaction():
        # Two windows of one person, one after the other: neither sees the other's row otherwise.
        connection.execute(
            "SELECT pg_advisory_xact_lock(hashtext('export'), hashtext(%s))",
            (wanted.requested_by,),
        )
        row = connection.execute(
            "SELECT count(*) FROM export WHERE requested_by = %s AND id <> %s"
            " AND state IN ('waiting', 'running')",
            (wanted.requested_by, wanted.id),
        ).fetchone()
        if row is not None and row[0] >= OPEN_MAX:
            raise Refused(
                "%(count)s exports of yours are under way. Wait for one, or cancel one.",
                count=OPEN_MAX,
            )
        # A filter may hold a name.
        asked = seal(house_key(connection), msgspec.json.encode(wanted.asked), wanted.id.bytes)
        connection.execute(
            "INSERT INTO export (id, list, requested_by, roles, asked, dress)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING",
            (
                wanted.id,
                wanted.list,
                wanted.requested_by,
                sorted(wanted.roles),
                asked,
                msgspec.json.encode(wanted.dress).decode(),
            ),
        )


_READ = f"""
SELECT id, list, requested_by, state, reason, rows_done, rows_total, chunks, bytes, requested_at,
       ended_at, CASE WHEN state = 'done' THEN ended_at + interval '{KEPT_HOURS} hours' END,
       gone_at, clock_timestamp()
  FROM export WHERE requested_by = %s
"""  # noqa: S608 constants only


def own(connection: Connection, export_id: UUID, person: str) -> Export | None:
    """None for an export of somebody else, too: an id tells nothing."""
    query = (_READ + " AND id = %s").encode()
    row = connection.execute(query, (person, export_id), prepare=True).fetchone()
    return None if row is None else _export(row)


def list_own(connection: Connection, person: str) -> tuple[list[Export], int]:
    """The newest first, and how many there are in all."""
    query = (_READ + " ORDER BY requested_at DESC, id LIMIT %s").encode()
    newest = [_export(row) for row in connection.execute(query, (person, SHOWN_MAX))]
    ((number,),) = connection.execute(
        "SELECT count(*) FROM export WHERE requested_by = %s", (person,)
    ).fetchall()
    return newest, int(number)


def _export(row: tuple[object, ...]) -> Export:
    return msgspec.convert(dict(zip(Export.__struct_fields__, row, strict=True)), Export)


def cancel(connection: Connection, export_id: UUID, person: str) -> bool:
    """Ends it wherever it stands: the worker finds its lease gone. False when it was over."""
    with connection.transaction():
        ended = connection.execute(
            "UPDATE export SET state = 'cancelled', asked = NULL, lease_token = NULL,"
            " lease_until = NULL, ended_at = clock_timestamp()"
            " WHERE id = %s AND requested_by = %s AND state IN ('waiting', 'running')",
            (export_id, person),
        ).rowcount
        if ended:
            connection.execute("DELETE FROM export_chunk WHERE export_id = %s", (export_id,))
    return bool(ended)


def piece(connection: Connection, export_id: UUID, n: int) -> bytes:
    """One piece of the file. Raises Gone."""
    row = connection.execute(
        "SELECT body FROM export_chunk WHERE export_id = %s AND n = %s",
        (export_id, n),
        binary=True,
    ).fetchone()
    if row is None:
        raise Gone(f"{export_id} piece {n}")
    return open_(house_key(connection), bytes(row[0]), label(export_id, n))


def label(export_id: UUID, n: int) -> bytes:
    """What a piece is sealed for: pieces cannot change places."""
    return export_id.bytes + n.to_bytes(4, "big")
