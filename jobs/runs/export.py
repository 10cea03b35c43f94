"""Writes exports: the whole list as of one moment, in pieces of about a megabyte, under a lease. A
file is offered when its last piece is there; what a killed worker left behind never is."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import psycopg

from config import Settings
from domain.operating import export_work as work
from domain.readmodels.exportables import EXPORTABLES
from domain.readmodels.exports import cells
from domain.stream import clock, installation
from domain.stream.database import Connection, Database
from jobs.ring import ring
from jobs.runs.spreadsheet import Sheet, writer

if TYPE_CHECKING:  # The worker starts without the provider's adapter.
    from jobs.context import Context

log = logging.getLogger("kontor.export")

QUEUE = "exports"
FUNCTION = "jobs.runs.export.run"
CHUNK_CHARS = 1_000_000
BYTES_MAX = 500_000_000
"""Some three million rows: more than any spreadsheet opens, less than fills a disk."""
SECONDS_MAX = 900.0
"""A snapshot that stays open keeps PostgreSQL from clearing up, and a rebuild of the list waits."""
TELL_S = 1.0
"""How often progress is written when no piece is full."""
BEAT_S = 10.0
TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError)
RINGS_AT_ONCE = 100
EXPIRE_S = 60.0


class TooLarge(Exception):
    """The list does not fit into one file; nothing of it is kept."""


@cache
def _database() -> Database:
    settings = Settings.from_env()
    prove = partial(installation.prove, mode=settings.mode)
    return Database(settings.database_url, settings.kek, pool_size=2, prove=prove)


def run(export_id: str) -> None:
    """The job behind every ring."""
    carry_out(_database(), UUID(export_id))


def carry_out(database: Database, export_id: UUID) -> bool:
    """False when there was nothing to claim."""
    with database.connection() as connection:
        lease = work.claim(connection, export_id)
    if lease is None:
        return False
    try:
        _write(database, lease)
    except work.Stopped:
        log.info("export %s was cancelled or taken over", export_id)
    except TRANSIENT as error:
        log.warning("export %s is tried again: %s", export_id, type(error).__name__)
        _end(database, lease, None)
    except TooLarge:
        _end(database, lease, "too-large")
    except Exception:  # whatever it is, the row says so and nobody waits for it
        log.exception("export %s failed", export_id)
        _end(database, lease, "defect")
    return True


def _end(database: Database, lease: work.Claimed, reason: str | None) -> None:
    with database.connection() as connection:
        try:
            if reason is None:
                work.again(connection, lease)
            else:
                work.failed(connection, lease, reason)
        except work.Stopped:
            log.info("export %s had ended meanwhile", lease.id)


def _write(database: Database, lease: work.Claimed) -> None:
    """Two connections: what is read stands still, what is told must not."""
    if not lease.permitted:
        _end(database, lease, "permission")
        return
    with database.connection() as reading, database.connection() as telling:
        exportable = EXPORTABLES[lease.list]
        with _standing_still(reading):
            work.total(telling, lease, exportable.how_many(reading, lease.asked))
            file = _File(telling, lease)
            for row in exportable.rows(reading, lease.asked):
                file.add(row)
            file.flush()
        work.done(telling, lease)


@contextmanager
def _standing_still(connection: Connection) -> Iterator[None]:
    """One moment of the database, in which nothing can be written."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(f"SET LOCAL statement_timeout = '{work.STATEMENT_S:g}s'".encode())
        yield


class _File:
    """The file in the making, and what the row says about it."""

    def __init__(self, telling: Connection, lease: work.Claimed) -> None:
        self._telling, self._lease = telling, lease
        self._columns = EXPORTABLES[lease.list].columns
        self._writers = [
            writer(column.kind, lease.dress.words.get(column.name, {})) for column in self._columns
        ]
        self._sheet = Sheet(lease.dress.head)
        self._rows = self._chunks = self._bytes = 0
        self._began = self._told = self._beaten = time.monotonic()

    def add(self, row: msgspec.Struct) -> None:
        values = zip(self._writers, cells(self._columns, row), strict=True)
        self._sheet.add([write(value) for write, value in values])
        self._rows += 1
        if self._sheet.chars >= CHUNK_CHARS:
            self.flush()
        elif time.monotonic() - self._told > TELL_S:
            work.progress(self._telling, self._lease, self._far)
            self._say_so()

    def flush(self) -> None:
        """Stores what is there as one piece."""
        chunk = self._sheet.take()
        self._chunks += 1
        self._bytes += len(chunk)
        work.add_chunk(self._telling, self._lease, self._far, chunk)
        self._say_so()

    @property
    def _far(self) -> work.Progress:
        return work.Progress(rows=self._rows, chunks=self._chunks, bytes=self._bytes)

    def _say_so(self) -> None:
        """RQ tells that a worker lives between its jobs only."""
        self._told = time.monotonic()
        if self._bytes > BYTES_MAX or self._told - self._began > SECONDS_MAX:
            raise TooLarge(str(self._lease.id))
        if self._told - self._beaten > BEAT_S:
            clock.beat(self._telling, f"worker:{QUEUE}")
            self._beaten = self._told


class Exports:
    """The ticker's part: rings what waits or lost its worker, clears away what is a day old."""

    def __init__(self) -> None:
        self._expired = -EXPIRE_S

    def __call__(self, context: Context) -> int:
        with context.dispatcher.read() as connection:
            due = work.due(connection, RINGS_AT_ONCE)
            if time.monotonic() - self._expired >= EXPIRE_S:
                self._expired = time.monotonic()
                work.expire(connection)
        for export_id in due:
            ring(
                context.redis, QUEUE, export_id, function=FUNCTION, timeout_s=int(SECONDS_MAX) + 60
            )
        return len(due)
