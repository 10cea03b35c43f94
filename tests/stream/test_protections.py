"""Each protection of the stream, switched off: the test that guards it must turn red. Otherwise it
guards nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from domain.stream import sequencer, store
from domain.stream.database import Connection
from domain.stream.sequencer import tick
from domain.stream.store import append
from tests.stream import test_inbox, test_sequencer, test_store
from tests.stream.things import batch, counted, new_stream, writes

Guard = Callable[[Connection], None]


def turns_red(guard: Guard, connection: Connection) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception, store.Conflict)):
        guard(connection)


@pytest.fixture(autouse=True)
def _statements_made_anew() -> Iterator[None]:
    store._statement.cache_clear()
    yield
    store._statement.cache_clear()


def test_without_the_version_check(connection: Connection) -> None:
    connection.execute("ALTER TABLE event DROP CONSTRAINT event_pkey")
    turns_red(test_store.test_a_stale_version_is_a_conflict_and_writes_nothing, connection)


def test_without_the_command_log_key(connection: Connection) -> None:
    connection.execute("ALTER TABLE command_log DROP CONSTRAINT command_log_pkey")
    turns_red(test_store.test_a_repeated_command_is_known_even_where_it_would_conflict, connection)


def test_without_the_inbox_key(connection: Connection, database_url: str) -> None:
    connection.execute("ALTER TABLE inbox DROP CONSTRAINT inbox_pkey")
    with pytest.raises(AssertionError):
        test_inbox.test_a_hundred_duplicates_at_once_are_one_row_and_one_effect(
            connection, database_url
        )


def test_without_the_fencing_token(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    fence = "AND status = 'leased' AND lease_token = %(lease_token)s"
    assert fence in store._LEASE
    monkeypatch.setattr(store, "_LEASE", store._LEASE.replace(fence, ""))
    turns_red(test_store.test_a_lost_lease_writes_nothing_at_all, connection)


def test_without_the_tick_guard(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = "pg_current_xact_id_if_assigned() IS NULL"
    assert guard in sequencer._LOOK
    monkeypatch.setattr(sequencer, "_LOOK", sequencer._LOOK.replace(guard, "true"))
    turns_red(test_sequencer.test_the_tick_refuses_a_transaction_that_has_written, connection)


def test_what_the_tick_guard_prevents(
    connection: Connection, other: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot never lists its own transaction, so what that writes later is lost for ever."""
    look = sequencer._LOOK.replace("pg_current_xact_id_if_assigned() IS NULL", "true")
    monkeypatch.setattr(sequencer, "_LOOK", look)
    stream = new_stream()
    with connection.transaction():
        append(connection, batch(writes(stream, [counted()])))
        append(other, batch(writes(new_stream(), [counted()])))
        tick(connection)
        append(connection, batch(writes(stream, [counted()], after=1)))
    for _ in range(3):
        tick(other)
    query = "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM feed)"
    assert connection.execute(query).fetchone() == (3, 2)
