"""Effects: one claimer at a time, leases in database time, back-off, parking, what is due."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier, Thread
from typing import TypeVar

import pytest

from domain.stream import effects
from domain.stream.database import Connection, connect
from domain.stream.store import LeaseLost, NewEffect, append
from tests.stream.things import AT, KEK, batch, effect_of, new_stream

T = TypeVar("T")


def add(connection: Connection, due_at: datetime = AT, kind: str = "probe") -> NewEffect:
    new = effect_of(new_stream(), due_at, kind)
    append(connection, batch(effects=[new]))
    return new


def status(connection: Connection, new: NewEffect) -> str:
    row = connection.execute(
        "SELECT status FROM effect WHERE effect_id = %s", (new.effect_id,)
    ).fetchone()
    assert row is not None
    return str(row[0])


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """The answers of `count` threads that start at the same moment."""
    barrier, answers = Barrier(count), list[T]()

    def run(n: int) -> None:
        barrier.wait()
        answers.append(act(n))

    threads = [Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_many_claimers_one_gets_the_lease(connection: Connection, database_url: str) -> None:
    connections = [connect(database_url, KEK) for _ in range(8)]
    for _ in range(10):
        new = add(connection)
        claim = partial(effects.claim, effect_id=new.effect_id, now=AT)
        claims = at_once(8, lambda n: claim(connections[n]))  # noqa: B023 done before the next one
        assert len([claim for claim in claims if claim]) == 1
    for opened in connections:
        opened.close()


def test_a_claim_tells_what_it_was_and_how_often(connection: Connection) -> None:
    new = add(connection)
    first = effects.claim(connection, new.effect_id, AT, lease_s=0)
    again = effects.claim(connection, new.effect_id, AT)
    assert first is not None
    assert again is not None
    assert (first.was, first.attempts, first.effect) == ("waiting", 1, new.effect)
    assert (again.was, again.attempts) == ("leased", 2)
    assert first.token != again.token
    assert effects.claim(connection, new.effect_id, AT) is None
    with pytest.raises(LeaseLost):
        effects.finish(connection, first.then("done"))
    effects.finish(connection, again.then("unknown"))
    asked = effects.claim(connection, new.effect_id, AT)
    assert asked is not None
    assert asked.was == "unknown"
    effects.finish(connection, asked.then("done", result={"reference": "re_1"}))
    assert effects.claim(connection, new.effect_id, AT) is None


def test_due_at_follows_the_clock(connection: Connection) -> None:
    later = AT + timedelta(days=14)
    new = add(connection, later)
    assert effects.claim(connection, new.effect_id, AT) is None
    assert effects.due(connection, AT, 10) == []
    assert effects.pending(connection, AT) == {}
    assert effects.next_due_at(connection, AT) == later
    assert effects.next_due_at(connection, later) is None
    assert [due.effect_id for due in effects.due(connection, later, 10)] == [new.effect_id]
    assert effects.pending(connection, later) == {new.effect.kind: 1}
    assert effects.claim(connection, new.effect_id, later) is not None


def test_back_off_follows_database_time(connection: Connection) -> None:
    new = add(connection)
    claimed = effects.claim(connection, new.effect_id, AT)
    assert claimed is not None
    effects.finish(connection, claimed.then("waiting", not_before_s=3600))
    far = AT + timedelta(days=365)
    assert effects.claim(connection, new.effect_id, far) is None
    assert effects.due(connection, far, 10) == []
    assert effects.pending(connection, AT) == {}
    assert effects.pending(connection, AT, patience_s=3700) == {new.effect.kind: 1}
    connection.execute("UPDATE effect SET not_before = clock_timestamp()")
    assert effects.claim(connection, new.effect_id, AT) is not None


def test_a_sweep_notes_the_first_ring_once(connection: Connection) -> None:
    add(connection)
    query = "SELECT first_rung_at FROM effect"
    assert connection.execute(query).fetchone() == (None,)
    effects.due(connection, AT, 10)
    first = connection.execute(query).fetchone()
    assert first != (None,)
    assert len(effects.due(connection, AT, 10)) == 1
    assert connection.execute(query).fetchone() == first


def test_a_sweep_rings_what_a_dead_worker_left(connection: Connection) -> None:
    new = add(connection)
    effects.claim(connection, new.effect_id, AT, lease_s=0.2)
    assert effects.due(connection, AT, 10) == []
    connection.execute("SELECT pg_sleep(0.25)")
    assert [due.effect_id for due in effects.due(connection, AT, 10)] == [new.effect_id]


def test_a_parked_effect_waits_for_a_person_and_is_asked_about_first(
    connection: Connection,
) -> None:
    new = add(connection)
    claimed = effects.claim(connection, new.effect_id, AT)
    assert claimed is not None
    effects.park(connection, claimed, "five times refused")
    assert effects.claim(connection, new.effect_id, AT) is None
    assert effects.pending(connection, AT) == {}
    [parked] = effects.list_parked(connection)
    assert (parked.effect_id, parked.error) == (new.effect_id, "five times refused")
    with pytest.raises(LeaseLost):
        effects.park(connection, claimed, "again")
    assert effects.release(connection, new.effect_id)
    assert not effects.release(connection, new.effect_id)
    again = effects.claim(connection, new.effect_id, AT)
    assert again is not None
    assert again.was == "unknown"


def test_after_a_restore_provider_effects_are_doubted(connection: Connection) -> None:
    waiting, leased, done = (add(connection, kind="submit_refund") for _ in range(3))
    render = add(connection, kind="render")
    effects.claim(connection, leased.effect_id, AT)
    claimed = effects.claim(connection, done.effect_id, AT)
    assert claimed is not None
    effects.finish(connection, claimed.then("done"))
    assert effects.doubt(connection, ["submit_payment", "submit_refund"]) == 2
    found = [status(connection, new) for new in (waiting, leased, done, render)]
    assert found == ["unknown", "unknown", "done", "waiting"]
