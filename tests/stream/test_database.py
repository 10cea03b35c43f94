"""The pool: recovers after PostgreSQL was killed, survives a fork, speaks UTC."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from domain.stream.database import Database, libpq_url
from jobs.embedded import Postgres
from jobs.guard import Guard
from tests.stream.things import KEK


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A server of this test's own, which may be killed."""
    folder = Path(tempfile.mkdtemp(prefix="kontor-k-"))
    folder.chmod(0o711)
    guard = Guard()
    server = Postgres(folder=folder / "postgres", sockets=folder / "s", guard=guard)
    server.start()
    yield server
    server.stop()
    guard.close()
    shutil.rmtree(folder, ignore_errors=True)


def ask(database: Database) -> int:
    with database.connection() as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def test_after_postgresql_was_killed_the_next_borrower_works(postgres: Postgres) -> None:
    database = Database(postgres.url, KEK, pool_size=2)
    first = ask(database)
    with database.connection() as broken:
        assert postgres.process is not None
        os.kill(postgres.process.pid, signal.SIGKILL)
        postgres.process.wait()
        with pytest.raises(psycopg.OperationalError):
            broken.execute("SELECT pg_sleep(5)")
    postgres.stop()
    postgres.start()
    assert ask(database) != first
    database.close()


def test_a_forked_child_opens_its_own_pool(database_url: str) -> None:
    database = Database(database_url, KEK, pool_size=1)
    mine = ask(database)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if ask(database) != mine else 2
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert ask(database) == mine
    database.close()


def test_it_opens_again_after_close(database_url: str) -> None:
    database = Database(database_url, KEK)
    ask(database)
    database.close()
    ask(database)
    database.close()


def test_instants_are_utc(database_url: str) -> None:
    database = Database(database_url, KEK)
    with database.connection() as connection:
        row = connection.execute("SELECT clock_timestamp()", binary=True).fetchone()
        assert connection.autocommit
        assert connection.kek == KEK
    assert row is not None
    assert row[0].utcoffset() == datetime.now(UTC).utcoffset()
    database.close()


def test_sqlalchemys_spelling_is_understood() -> None:
    assert libpq_url("postgresql+psycopg://u@/d?host=/s") == "postgresql://u@/d?host=/s"
