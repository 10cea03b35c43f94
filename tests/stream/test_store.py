"""Append: one statement that writes everything or nothing, and knows why it did not."""

from __future__ import annotations

import time
from datetime import timedelta
from threading import Thread
from uuid import UUID, uuid4

import pytest
from psycopg.errors import CheckViolation, UniqueViolation

from domain.stream import effects, series, timers
from domain.stream.database import Connection, connect
from domain.stream.store import (
    AlreadyLogged,
    BrokenStream,
    Conflict,
    LeaseLost,
    append,
    find_command,
    load,
)
from tests.stream.things import (
    AT,
    CODEC,
    KEK,
    batch,
    counted,
    effect_of,
    named,
    new_stream,
    timer_of,
    writes,
)

NOTHING = (0, 0, 0, 0)


def rows(connection: Connection) -> tuple[int, ...]:
    tables = ("event", "command_log", "effect", "timer")
    found = [connection.execute(f"SELECT count(*) FROM {t}".encode()).fetchone() for t in tables]
    return tuple(row[0] for row in found if row)


def test_what_is_appended_is_loaded(connection: Connection) -> None:
    first, second, empty = new_stream(), new_stream("cus"), new_stream()
    append(connection, batch(writes(first, [counted(1, "eins"), counted(2)])))
    append(connection, batch(writes(second, [named(second)])))
    append(connection, batch(writes(first, [counted(3)], after=2)))
    loaded = load(connection, CODEC, [second, first, empty])
    assert loaded[first].events == [counted(1, "eins"), counted(2), counted(3)]
    assert loaded[first].version == 3
    assert loaded[second].events == [named(second)]
    assert (loaded[empty].events, loaded[empty].version) == ([], 0)


def test_one_command_writes_several_streams_effects_and_timers(connection: Connection) -> None:
    a, b = new_stream(), new_stream()
    command = batch(
        writes(a, [counted()]) + writes(b, [counted(), counted()]),
        effects=[effect_of(a), effect_of(b)],
        timers=[timer_of(a)],
    )
    append(connection, command)
    assert rows(connection) == (3, 1, 2, 1)
    assert find_command(connection, command.shard, command.command_id) == (
        command.request_hash,
        command.result.replace(b":", b": ").replace(b",", b", "),
    )


def test_a_stale_version_is_a_conflict_and_writes_nothing(connection: Connection) -> None:
    stream = new_stream()
    append(connection, batch(writes(stream, [counted()])))
    before = rows(connection)
    with pytest.raises(Conflict):
        append(connection, batch(writes(stream, [counted()]), effects=[effect_of(stream)]))
    assert rows(connection) == before


def test_two_writers_on_the_same_streams_never_deadlock(
    connection: Connection, other: Connection, database_url: str
) -> None:
    """Both must pass the middle stream, which somebody holds; written in the order given, each
    would then hold what the other wants."""
    first, middle, last = sorted(new_stream() for _ in range(3))
    orders = ([first, middle, last], [last, middle, first])
    causes: list[type | None] = []

    def write(n: int) -> None:
        new = [writes(stream, [counted()])[0] for stream in orders[n]]
        with connect(database_url, KEK) as own:
            try:
                append(own, batch(new))
                causes.append(None)
            except Conflict as error:
                causes.append(type(error.__cause__))

    threads = [Thread(target=write, args=(n,)) for n in range(2)]
    with connection.transaction(force_rollback=True):
        append(connection, batch(writes(middle, [counted()])))
        for n, thread in enumerate(threads, 1):
            thread.start()
            wait_until_blocked(other, n)
    for thread in threads:
        thread.join()
    assert causes == [None, UniqueViolation] or causes == [UniqueViolation, None]


def wait_until_blocked(connection: Connection, count: int) -> None:
    query = (
        "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE NOT granted AND datname = current_database()"
    )
    for _ in range(500):
        if connection.execute(query).fetchone() == (count,):
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_a_repeated_command_is_known_even_where_it_would_conflict(connection: Connection) -> None:
    command = batch(writes(new_stream(), [counted()]))
    append(connection, command)
    with pytest.raises(AlreadyLogged):
        append(connection, command)
    assert rows(connection) == (1, 1, 0, 0)


def test_a_command_that_decides_nothing_is_logged_alone(connection: Connection) -> None:
    append(connection, batch())
    assert rows(connection) == (0, 1, 0, 0)


def test_a_lost_lease_writes_nothing_at_all(connection: Connection) -> None:
    stream = new_stream()
    new = effect_of(stream)
    append(connection, batch(writes(stream, [counted()]), effects=[new]))
    claimed = effects.claim(connection, new.effect_id, AT, lease_s=0)
    assert claimed is not None
    second = effects.claim(connection, new.effect_id, AT)
    assert second is not None
    timer = timer_of(stream)
    append(connection, batch(timers=[timer]))
    before = rows(connection)
    late = batch(
        writes(stream, [counted()], after=1),
        effects=[effect_of(stream)],
        timers=[timer_of(stream)],
        lease=claimed.then("done"),
        fired=(5, timer.timer_id),
    )
    with pytest.raises(LeaseLost):
        append(connection, late)
    assert rows(connection) == before
    append(connection, batch(writes(stream, [counted()], after=1), lease=second.then("done")))
    with pytest.raises(LeaseLost):
        append(connection, batch(lease=second.then("done")))
    assert effects.pending(connection, AT) == {}


def test_a_kept_lease_is_still_mine(connection: Connection) -> None:
    stream = new_stream()
    new = effect_of(stream)
    append(connection, batch(writes(stream, [counted()]), effects=[new]))
    claimed = effects.claim(connection, new.effect_id, AT)
    assert claimed is not None
    append(connection, batch(writes(stream, [counted()], after=1), lease=claimed.then("leased")))
    answer = claimed.then("done", result={"reference": "re_1"})
    append(connection, batch(writes(stream, [counted()], after=2), lease=answer))
    assert load(connection, CODEC, [stream])[stream].version == 3


def test_a_fired_timer_is_gone_with_its_command(connection: Connection) -> None:
    stream = new_stream()
    timer = timer_of(stream)
    append(connection, batch(writes(stream, [counted()]), timers=[timer]))
    [due] = timers.due(connection, AT, 10)
    assert due.timer == timer.timer
    assert timers.due(connection, AT - timedelta(seconds=1), 10) == []
    append(connection, batch(fired=(due.shard, due.timer_id)))
    assert timers.next_due_at(connection) is None


def test_inside_an_open_transaction_the_number_goes_back_with_the_conflict(
    connection: Connection,
) -> None:
    stream = new_stream()
    append(connection, batch(writes(stream, [counted()])))

    def issue(after: int) -> int:
        with connection.transaction():
            number = series.take(connection, "B2C-2026")
            append(connection, batch(writes(stream, [counted()], after=after)))
        return number

    with pytest.raises(Conflict):
        issue(after=0)
    assert issue(after=1) == 1
    assert load(connection, CODEC, [stream])[stream].version == 2


def test_a_stream_with_a_hole_is_not_loaded(connection: Connection) -> None:
    stream = new_stream()
    append(connection, batch(writes(stream, [counted(), counted(), counted()])))
    connection.execute("DELETE FROM event WHERE version = 2")
    with pytest.raises(BrokenStream, match="holds no version 2"):
        load(connection, CODEC, [stream])


def test_ids_that_do_not_fit_are_refused_before_the_database(connection: Connection) -> None:
    stream = new_stream("cus")
    with pytest.raises(ValueError, match="does not hold counted"):
        append(connection, batch(writes(stream, [counted()])))
    mixed = writes(new_stream(shard=5), [counted()]) + writes(new_stream(shard=6), [counted()])
    with pytest.raises(ValueError, match="not on shard 5"):
        append(connection, batch(mixed))
    assert rows(connection) == NOTHING


def test_the_database_itself_refuses_a_wrong_shard(connection: Connection) -> None:
    with pytest.raises(CheckViolation):
        connection.execute(
            "INSERT INTO event (shard, stream_id, version, event_id, command_id, actor, type,"
            " schema_v, data) VALUES (1, %s, 1, %s, %s, 'x', 'x', 1, '{}')",
            (UUID(int=2**128 - 1), uuid4(), uuid4()),
        )


def test_a_batch_of_thousands_is_one_statement(connection: Connection) -> None:
    stream = new_stream()
    append(connection, batch(writes(stream, [counted(n) for n in range(2000)])))
    loaded = load(connection, CODEC, [stream])[stream]
    assert loaded.events == [counted(n) for n in range(2000)]
