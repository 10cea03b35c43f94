"""Connections to PostgreSQL: one pool per process, autocommit, UTC. It knows no table."""

import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

# A connection that rested longer is asked whether it still lives; a fresh one only looked at.
ASK_AFTER_S = 5.0
SERVER_VERSION_MIN = 160000
# A worker or a request that waits longer than this for a connection says so instead.
CONNECTION_WAIT_S = 10.0
# Every statement of the stream is one of a few dozen; none is ever dropped for want of a place.
PREPARED_MAX = 500
# Plans are made once per connection, often while the tables are small; with a disk's price for a
# random page they would scan what later grows.
OPTIONS = "-c TimeZone=UTC -c random_page_cost=1.1"


class ServerTooOld(Exception):
    """The PostgreSQL behind DATABASE_URL is older than Kontor can use."""


class Connection(psycopg.Connection[TupleRow]):
    """An autocommit connection that also carries the key-encryption key."""

    kek: bytes = b""
    house: bytes | None = None
    """The house key, once it was read: it is nobody's, and never erased (`keys.house_key`)."""
    used_at: float = 0.0


def refuse_old_server(server_version: int) -> None:
    if server_version < SERVER_VERSION_MIN:
        raise ServerTooOld(
            f"DATABASE_URL points to PostgreSQL {server_version // 10000}; "
            f"Kontor needs PostgreSQL {SERVER_VERSION_MIN // 10000} or newer."
        )


def libpq_url(url: str) -> str:
    """SQLAlchemy's spelling of a URL, as libpq understands it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def connect(url: str, kek: bytes) -> Connection:
    """One connection outside any pool."""
    connection = Connection.connect(libpq_url(url), autocommit=True, options=OPTIONS)
    _configure(connection, kek)
    refuse_old_server(connection.info.server_version)
    return connection


def _configure(connection: Connection, kek: bytes) -> None:
    connection.kek = kek
    connection.prepared_max = PREPARED_MAX


def _check(connection: Connection) -> None:
    """A server that went away has said so on the socket: seeing that costs no round trip."""
    watched = select.poll()
    watched.register(connection.fileno(), select.POLLIN)
    if watched.poll(0) or time.monotonic() - connection.used_at > ASK_AFTER_S:
        ConnectionPool.check_connection(connection)


class Database:
    """The pool opens at its first use in a process, so it survives a fork made before that; a
    forked child opens its own. A connection is checked before it is lent: after PostgreSQL was
    killed the next borrower gets a fresh one. `prove` looks at the first one that is lent, and
    whatever it raises keeps everybody out."""

    def __init__(
        self,
        url: str,
        kek: bytes,
        *,
        pool_size: int = 8,
        prove: Callable[[Connection], object] | None = None,
    ) -> None:
        self.kek = kek
        self._prove = prove
        self._url = libpq_url(url)
        self._pool_size = pool_size
        self._lock = Lock()
        self._pool: ConnectionPool[Connection] | None = None
        self._pid = 0

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self._open().connection(timeout=CONNECTION_WAIT_S) as connection:
            refuse_old_server(connection.info.server_version)
            self._look_at(connection)
            try:
                yield connection
            finally:
                connection.used_at = time.monotonic()

    def proved(self) -> bool:
        """Looks now, without waiting: False while the database is away."""
        if self._prove is None:
            return True
        try:
            with connect(self._url, self.kek) as connection:
                self._look_at(connection)
        except psycopg.OperationalError:
            return False
        return True

    def _look_at(self, connection: Connection) -> None:
        if (prove := self._prove) is not None:
            prove(connection)
            self._prove = None

    def close(self) -> None:
        with self._lock:
            if self._pool is not None and self._pid == os.getpid():
                self._pool.close()
            self._pool = None

    def _open(self) -> ConnectionPool[Connection]:
        if self._pool is not None and self._pid == os.getpid():
            return self._pool
        with self._lock:
            if self._pool is None or self._pid != os.getpid():
                self._pool, self._pid = self._new_pool(), os.getpid()
            return self._pool

    def _new_pool(self) -> ConnectionPool[Connection]:
        return ConnectionPool(
            self._url,
            connection_class=Connection,
            kwargs={"autocommit": True, "options": OPTIONS},
            min_size=1,
            max_size=self._pool_size,
            configure=lambda connection: _configure(connection, self.kek),
            check=_check,
            open=True,
        )
