"""Stripe stops answering, in every way it can, while people go on asking for refunds. Afterwards
everything was sent once: the proofs at the end of each journey compare the two books."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from config import ROOT
from domain.payments.provider import CloseCircuit, provider_id
from domain.payments.provider_events import Trouble
from domain.payments.refund import Status
from domain.readmodels.providers import Provider, provider
from domain.stream.circuit import Pace
from domain.stream.failpoints import VARIABLE
from domain.work.case import Status as CaseStatus
from domain.work.events import CaseType
from jobs.circuit import FAILURES_MAX, Circuit
from jobs.gate import Gate, Open
from jobs.handlers.probes import FIRST_PAUSE_S, PAUSE_MAX_S, pause_s
from jobs.providers.stripe.adapter import StripeAdapter
from jobs.providers.stripe.capabilities import CALLS_PER_SECOND, CALLS_PER_SECOND_MAX
from jobs.ticker import Poll
from tests.journeys.acts import case, request
from tests.journeys.town import Town
from tests.journeys.world import World
from tests.servers import environment

PEOPLE = 9
PACE = Pace(per_s=CALLS_PER_SECOND, first_per_s=20, doubles_s=0.5)
"""As in life, but for how long it takes to come back to speed."""
READ_S = 0.3
ROUNDS = 6
STRIPE = provider_id("stripe")
sent: list[str] = []


def impatient(world: World, gate: Gate) -> None:
    """Nobody in a test waits twenty seconds for an answer."""
    ours = world.settings
    world.context = replace(
        world.context,
        stripe=StripeAdapter.from_settings(ours, gate, READ_S),
        probes={"stripe": StripeAdapter.from_settings(ours, Open(), READ_S).ask_anything},
    )


@pytest.fixture(autouse=True)
def _impatient(town: Town) -> Iterator[None]:
    before = town.world.context
    impatient(town.world, Circuit(town.world.kontor, "stripe", PACE))
    yield
    town.world.context = before


def stripe(world: World) -> Provider:
    with world.kontor.read() as connection:
        found = provider(connection, "stripe")
    assert found is not None
    return found


def calls(world: World) -> dict[str, Any]:
    return world.control.ask("GET", "/calls")


def ask_for(town: Town, count: int) -> list[str]:
    """People do not notice: a request is recorded, whatever Stripe does."""
    insured = town.someone()
    wishes = [request(insured, 1_00) for _ in range(count)]
    for wish in wishes:
        assert town.world.send(wish).events
    sent.extend(wish.refund_id for wish in wishes)
    return [wish.refund_id for wish in wishes]


def pass_time(world: World) -> None:
    """Every back-off is over; the workers look once."""
    world.rows("UPDATE effect SET not_before = NULL WHERE not_before IS NOT NULL RETURNING 1")
    world.work()


def live_through(town: Town, mode: str, count: int) -> list[str]:
    world = town.world
    world.control.ask("PUT", "/calls", {})
    world.faults(outage={"mode": mode})
    refunds = ask_for(town, count)
    for _ in range(ROUNDS):
        pass_time(world)
    return refunds


def within_budget(world: World, failures: int) -> None:
    """What opened the circuit, and one question for each pause that passed."""
    assert calls(world)["total"] <= failures + ROUNDS


def unclaimed(world: World, refunds: list[str]) -> int:
    return len(
        world.rows(
            "SELECT FROM effect WHERE kind = 'submit_refund' AND stream = ANY(%s)"
            " AND status = 'waiting' AND attempts = 0 AND lease_token IS NULL",
            refunds,
        )
    )


def comes_back(world: World, refunds: list[str]) -> None:
    world.faults()
    world.control.ask("PUT", "/calls", {})
    for _ in range(3):  # the probe lets its first turn pass
        pass_time(world)
    assert stripe(world).circuit == "closed"
    world.settle()
    for refund_id in refunds:
        told = world.told(refund_id)
        assert told[-1] == "refund-accepted", told
        assert len(told) == len(set(told))
    assert calls(world)["peak"] <= CALLS_PER_SECOND_MAX


def incident(world: World) -> CaseStatus:
    opening = world.state(STRIPE).opening
    return case(world, CaseType.PROVIDER_INCIDENT, STRIPE, str(opening)).status


@pytest.mark.parametrize(
    ("mode", "reason", "failures"),
    [("server_error", "server_error", 5), ("garbage", "garbage", 5), ("blackhole", "timeout", 3)],
)
def test_an_outage_costs_few_calls_and_no_money(
    town: Town, mode: str, reason: str, failures: int
) -> None:
    world = town.world
    before = world.told(STRIPE)
    refunds = live_through(town, mode, 12)
    found = stripe(world)
    assert (found.circuit, found.reason) == ("open", reason)
    assert found.since is not None
    assert found.next_try_s is not None
    assert found.waiting >= len(refunds)  # With garbage the work was done, and is told of, too.
    within_budget(world, failures)
    assert unclaimed(world, refunds) == len(refunds) - failures
    assert world.told(STRIPE) == [*before, "circuit-opened"]
    assert incident(world) is CaseStatus.OPEN
    page = httpx.get(f"{world.settings.url}/login", trust_env=False)  # no page asks Stripe
    assert page.status_code == 200
    assert Poll()(world.context) == 0
    within_budget(world, failures)
    comes_back(world, refunds)
    assert world.told(STRIPE) == [*before, "circuit-opened", "circuit-closed"]
    assert incident(world) is CaseStatus.CLOSED


def test_429_is_waited_for_as_long_as_it_says(town: Town) -> None:
    world = town.world
    world.control.ask("PUT", "/calls", {})
    world.faults(outage={"mode": "rate_limited", "retry_after_s": 1})
    began = time.monotonic()
    refunds = ask_for(town, 6)
    pass_time(world)
    pass_time(world)
    assert calls(world)["total"] == 1
    assert stripe(world).circuit == "closed"
    assert stripe(world).next_try_s in (1, 2)
    assert unclaimed(world, refunds) == 5
    world.faults()
    while calls(world)["total"] == 1:
        pass_time(world)
    assert time.monotonic() - began >= 1.0
    world.settle()
    assert [world.told(one)[-1] for one in refunds] == ["refund-accepted"] * 6


def test_429_for_ever_opens_the_circuit(town: Town) -> None:
    world = town.world
    world.faults(outage={"mode": "rate_limited", "retry_after_s": 0})
    world.control.ask("PUT", "/calls", {})
    refunds = ask_for(town, 6)
    for _ in range(FAILURES_MAX_429):
        world.rows("UPDATE circuit SET held_until = NULL RETURNING 1")
        pass_time(world)
    assert stripe(world).circuit == "open"
    assert calls(world)["total"] <= FAILURES_MAX_429 + 1
    comes_back(world, refunds)


FAILURES_MAX_429 = max(FAILURES_MAX.values())


def test_without_the_breaker_every_order_is_tried_again_and_again(town: Town) -> None:
    """The budget above is kept by the circuit, by nothing else."""
    world = town.world
    impatient(world, Open())
    refunds = live_through(town, "server_error", 6)
    with pytest.raises(AssertionError):
        within_budget(world, 5)
    assert stripe(world).circuit == "closed"
    world.faults()
    pass_time(world)
    world.settle()
    assert [world.told(one)[-1] for one in refunds] == ["refund-accepted"] * 6


def test_a_worker_that_is_killed_while_it_asks_is_replaced(town: Town) -> None:
    world = town.world
    refunds = live_through(town, "server_error", 6)
    ((probe,),) = world.rows(
        "SELECT effect_id FROM effect WHERE kind = 'probe_provider' AND status = 'waiting'"
    )
    world.faults()
    world.rows("UPDATE effect SET not_before = NULL WHERE effect_id = %s RETURNING 1", probe)
    died = subprocess.run(
        [sys.executable, "-c", f"from jobs.effects import run; run('{probe}')"],
        cwd=ROOT,
        env={**environment(world.settings), VARIABLE: "claim-to-call"},
    )
    assert died.returncode < 0
    assert stripe(world).circuit == "half-open"
    pass_time(world)  # One call at a time: its lease still holds.
    assert stripe(world).circuit == "half-open"
    assert unclaimed(world, refunds) == 1
    world.rows("UPDATE effect SET lease_until = now() WHERE status = 'leased' RETURNING 1")
    comes_back(world, refunds)


class ShutsAtTheCall(Circuit):
    """The first call finds the circuit open, which its claim found closed."""

    def enter(self) -> int:
        if not self._state().waiting:
            self._open(Trouble.SERVER_ERROR, 5)
        return super().enter()


def test_what_was_claimed_a_moment_before_waits_unsent(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was sent, so nothing is unknown, nobody is told and Stripe is not asked."""
    world = town.world
    asked: list[object] = []
    monkeypatch.setattr(StripeAdapter, "look_up_refund", lambda *order: asked.append(order))
    impatient(world, ShutsAtTheCall(world.kontor, "stripe", PACE))
    world.control.ask("PUT", "/calls", {})
    (refund_id,) = ask_for(town, 1)
    world.work()
    assert stripe(world).circuit == "open"
    assert world.told(refund_id)[-1] == "refund-submitted"
    assert unclaimed(world, [refund_id]) == 1
    impatient(world, Circuit(world.kontor, "stripe", PACE))
    comes_back(world, [refund_id])
    assert "refund-outcome-unknown" not in world.told(refund_id)
    assert case(world, CaseType.OUTCOME_UNRESOLVED, refund_id).status is CaseStatus.NOTHING
    assert asked == []


def test_what_closed_late_closes_nothing_newer(town: Town) -> None:
    world = town.world
    refunds = live_through(town, "server_error", 5)
    opening = world.state(STRIPE).opening
    late = CloseCircuit(by="worker", provider="stripe", opening=opening - 1)
    assert world.send(late).events == ()
    assert stripe(world).circuit == "open"
    comes_back(world, refunds)


def test_an_hour_of_silence_costs_twenty_questions() -> None:
    asked, seconds = 0, 0.0
    while seconds < 3600:
        pause = pause_s(asked)
        least = min(PAUSE_MAX_S, FIRST_PAUSE_S * 2**asked)
        assert least <= pause <= least * 1.2
        asked, seconds = asked + 1, seconds + least
    assert asked <= 20


def test_all_of_it_arrives(town: Town) -> None:
    assert len(sent) > 50
    town.until_status(sent[-1], Status.CONFIRMED)
    assert {town.world.state(one).status for one in sent} == {Status.CONFIRMED}
