"""Moving the sandbox Clock: by due moments, each drained, to the target or what does not rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from config import Settings
from domain.kernel.ids import read_id, shard_of
from domain.kernel.message import Refused
from domain.kernel.time import berlin, berlin_date
from domain.operating import advancing, health, timer_case
from domain.operating.advancing import Advance
from domain.stream import clock
from jobs import advance as jobs_advance
from jobs import effects as work
from jobs.advance import Chores, work_one
from jobs.ticker import fire_timers
from tests.journeys.people import insure
from tests.journeys.world import START, World, running_world

PERSON = "staff:stf_mia"
TARGET = START + timedelta(days=4)


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    with running_world(settings) as world:
        yield world


def chores(world: World) -> Chores:
    return world.sandbox.chores


def ask(world: World, target: datetime = TARGET) -> UUID:
    advance_id = uuid4()
    advancing.request(world.kontor, advance_id, target, PERSON)
    return advance_id


def latest(world: World) -> Advance:
    with world.kontor.read() as connection:
        found = advancing.latest(connection)
    assert found is not None
    return found


def test_without_a_request_nothing_moves(world: World) -> None:
    assert not work_one(world.context, chores(world))
    assert world.kontor.now() == START


def test_a_request_is_carried_out_by_due_moments(world: World) -> None:
    insured = insure(world, first_due=berlin_date(START) + timedelta(days=23))
    ask(world)
    assert latest(world).state == "waiting"
    assert work_one(world.context, chores(world))
    moved = latest(world)
    assert (moved.state, moved.clock, moved.done_percent) == ("done", TARGET, 100)
    assert moved.done_steps > 2
    assert world.control.ask("GET", "/clock")["now"] == TARGET.isoformat()
    billed = next(e for e in world.events(insured.contract) if e.wire() == "instalment-billed")
    assert billed.at == berlin(berlin_date(START) + timedelta(days=2), 6), "exactly when it was due"
    assert not work_one(world.context, chores(world)), "once"


def test_everything_rests_after_each_step(world: World) -> None:
    insure(world, first_due=berlin_date(START) + timedelta(days=23))
    seen: list[tuple[int, int]] = []

    def look(_steps: int) -> bool:
        behind = world.rows("SELECT coalesce(max(last - cursor), 0) FROM consumer, feed_state")
        due = world.rows(
            "SELECT count(*) FROM effect WHERE status <> 'done' AND due_at <= %s",
            world.kontor.now(),
        )
        seen.append((int(behind[0][0]), int(due[0][0])))
        return True

    steps = jobs_advance.advance(world.sandbox, TARGET, look)
    assert len(seen) == steps
    assert set(seen) == {(0, 0)}


def test_a_case_of_what_is_set_aside_opens_before_the_clock_moves_on(world: World) -> None:
    begun = START + timedelta(days=1)
    (world.settings.var / "bank" / "kontoauszug_defekt.xml").write_bytes(b"no statement")
    ask(world)
    work_one(world.context, chores(world))
    opened = "SELECT (data->>'at')::timestamptz FROM event WHERE type = 'case-opened'"
    assert [at < begun for (at,) in world.rows(opened)] == [True]


def test_a_refused_timer_keeps_its_case_and_holds_nobody_up(world: World) -> None:
    insured = insure(world, first_due=berlin_date(START) + timedelta(days=23))
    much_too_early = (
        "INSERT INTO timer (shard, timer_id, stream, kind, payload, due_at) VALUES"
        " (%s, %s, %s, 'bill_instalment', '{\"due_on\": \"2029-01-01\"}', %s) RETURNING 1"
    )
    contract = insured.contract
    world.rows(much_too_early, shard_of(read_id(contract)), uuid4(), contract, START)
    ask(world)
    work_one(world.context, chores(world))
    assert latest(world).state == "done"
    assert "instalment-billed" in world.told(contract), "other timers are not passed over"
    (refused,) = health(world.kontor).refused_timers
    assert "comes first" in refused.error
    for _ in range(2):
        world.tell()
        world.settle()
        assert world.told(timer_case(refused)) == ["case-opened"], "it lasts as long as the timer"
    world.rows("DELETE FROM timer WHERE timer_id = %s RETURNING 1", refused.timer_id)
    world.tell()
    assert world.told(timer_case(refused)) == ["case-opened", "case-closed"]


def test_hints_of_a_parked_effect_hold_nobody_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"id": "evt_1", "type": "refund.updated", "data": {"object": {"id": "re_1"}}}'
    world.kontor.hear("stripe", body, {}, verified=True)
    monkeypatch.setitem(work.HANDLERS, "translate", lambda *_: [][0])
    world.work()
    monkeypatch.undo()
    assert [one.kind for one in health(world.kontor).parked_effects] == ["translate"]
    ask(world)
    work_one(world.context, chores(world))
    assert latest(world).state == "done"


def test_a_name_that_begins_like_our_questions_is_a_hint_like_any_other(world: World) -> None:
    body = b'{"id": "ask-1", "type": "not.ours", "data": {"object": {"id": "re_1"}}}'
    world.kontor.hear("stripe", body, {"Asked By Kontor": "refund"}, verified=True)
    world.settle()
    assert not health(world.kontor).parked_effects
    (held,) = health(world.kontor).quarantined
    assert "unknown event type not.ours" in held.reason


def test_somebody_can_stop_it(world: World) -> None:
    ask(world)
    stopped = replace(chores(world), look=lambda: advancing.cancel(world.kontor) and 0)
    work_one(world.context, stopped)
    moved = latest(world)
    assert moved.state == "cancelled"
    assert START < moved.clock < TARGET
    ask(world)
    work_one(world.context, chores(world))
    assert latest(world).state == "done"


def test_what_does_not_rest_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_advance, "STILL_MAX_S", 0.5)
    insure(world, first_due=berlin_date(START) + timedelta(days=23))
    world.settle()
    ask(world)

    work_one(world.context, replace(chores(world), fire=lambda: without_workers(world)))
    moved = latest(world)
    assert moved.state == "failed"
    assert moved.message is not None
    assert "not settled: 1 translate" in moved.message, "the morning's statement waits for a worker"
    assert moved.clock == berlin(berlin_date(START) + timedelta(days=1), 6), "it stands there"
    monkeypatch.setattr(jobs_advance, "STILL_MAX_S", 60.0)
    ask(world)
    work_one(world.context, chores(world))
    assert latest(world).state == "done", "and goes on when it rests"


def test_a_long_back_off_holds_nobody_up_and_ends_with_the_step(world: World) -> None:
    insured = insure(world, first_due=berlin_date(START) + timedelta(days=23))
    world.until(berlin(berlin_date(START) + timedelta(days=25), 9))
    assert "payment-submitted" in world.told(insured.payment())
    doubted = (
        "UPDATE effect SET status = 'unknown', not_before = clock_timestamp() + interval '1 hour'"
        " WHERE kind = 'submit_payment' RETURNING effect_id"
    )
    assert len(world.rows(doubted)) == 1
    world.settle()
    left = "SELECT status FROM effect WHERE kind = 'submit_payment'"
    assert world.rows(left) == [("unknown",)], "an hour of database time is not waited for"
    world.until(world.kontor.now() + timedelta(days=1))
    assert world.rows(left) == [("done",)], "a day has passed: it was asked again"


def without_workers(world: World) -> None:
    """Timers and readers go on."""
    fire_timers(world.context)
    world.follower.catch_up()


def test_a_killed_ticker_leaves_a_move_that_goes_on(world: World) -> None:
    ask(world)
    dying = replace(chores(world), stopping=lambda: world.kontor.now() > START, fire=lambda: None)
    insure(world, first_due=berlin_date(START) + timedelta(days=23))
    world.settle()
    work_one(world.context, dying)
    assert latest(world).state == "running"
    assert latest(world).clock < TARGET
    work_one(world.context, chores(world))
    assert latest(world).state == "done"
    assert latest(world).clock == TARGET


def test_a_simulator_that_is_away_stops_the_move(
    world: World, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(world)
    away = replace(settings, simulator_control="http://127.0.0.1:9")
    work_one(replace(world.context, settings=away), chores(world))
    assert latest(world).state == "failed"
    assert "does not answer" in (latest(world).message or "")


def test_the_clock_never_goes_back_and_moves_once_at_a_time(world: World) -> None:
    for wrong in (START, START - timedelta(days=1), START + timedelta(days=401)):
        with pytest.raises(Refused):
            ask(world, wrong)
    ask(world)
    with pytest.raises(Refused, match="moving already"):
        ask(world)
    with world.kontor.read() as connection, pytest.raises(clock.ClockRefused):
        clock.move(connection, START - timedelta(seconds=1))


def test_the_same_request_sent_twice_is_one(world: World) -> None:
    advance_id = ask(world)
    advancing.request(world.kontor, advance_id, TARGET, PERSON)
    assert world.rows("SELECT count(*) FROM advance") == [(1,)]


def test_production_has_no_clock_to_move(world: World) -> None:
    world.rows("UPDATE installation SET mode = 'production', clock = NULL RETURNING 1")
    with pytest.raises(Refused, match="sandbox"):
        ask(world)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (berlin(date(2026, 12, 1), 7), berlin(date(2026, 12, 2), 8, 30)),
        (berlin(date(2026, 12, 4), 9), berlin(date(2026, 12, 7), 8, 30)),
        (berlin(date(2026, 12, 24), 9), berlin(date(2026, 12, 28), 8, 30)),
        (berlin(date(2027, 3, 25), 9), berlin(date(2027, 3, 30), 8, 30)),
    ],
)
def test_the_next_banking_day(now: datetime, then: datetime) -> None:
    assert advancing.next_banking_day(now) == then


def test_fourteen_days_keep_the_time_of_day() -> None:
    before, after = berlin(date(2027, 3, 20), 8, 30), berlin(date(2027, 4, 3), 8, 30)
    assert advancing.by_days(before, 14) == after
    assert after - before == timedelta(days=14) - timedelta(hours=1)
