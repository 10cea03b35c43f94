"""The circuit as facts: it opens once for one outage, and only the answer to that outage closes
it."""

from __future__ import annotations

import pytest

from domain.flows.incidents import react
from domain.kernel.message import Effect, Event
from domain.payments.provider import CloseCircuit, OpenCircuit, Provider, provider_id
from domain.payments.provider_events import CircuitClosed, CircuitOpened, Trouble
from domain.work.commands import CloseCase, OpenCaseWhileWaiting
from tests.spec import World

STRIPE = provider_id("stripe")


def opens(reason: Trouble = Trouble.TIMEOUT, failures: int = 3) -> OpenCircuit:
    return OpenCircuit(by="worker", provider="stripe", reason=reason, failures=failures)


def closes(opening: int) -> CloseCircuit:
    return CloseCircuit(by="worker", provider="stripe", opening=opening)


@pytest.fixture
def world() -> World:
    return World()


def test_it_opens_once_with_its_reason(world: World) -> None:
    [opened] = world.send(opens())
    assert isinstance(opened, CircuitOpened)
    assert (opened.opening, opened.reason, opened.failures) == (1, Trouble.TIMEOUT, 3)
    assert world.send(opens(Trouble.GARBAGE, 9)) == []
    state = world.state(STRIPE)
    assert isinstance(state, Provider)
    assert state.waiting


def test_only_its_own_answer_closes_it(world: World) -> None:
    assert world.send(closes(1)) == []
    world.send(opens())
    assert world.send(closes(2)) == []
    [closed] = world.send(closes(1))
    assert isinstance(closed, CircuitClosed)
    assert world.send(closes(1)) == []
    [again] = world.send(opens(Trouble.SERVER_ERROR, 5))
    assert isinstance(again, CircuitOpened)
    assert again.opening == 2
    assert world.send(closes(1)) == []


def test_people_are_told_once_per_outage_and_somebody_asks(world: World) -> None:
    [first] = world.send(opens())
    probe, case = react(first, world.state(STRIPE))
    assert isinstance(probe, Effect)
    assert probe.payload == {"probes": "stripe", "opening": "1"}
    assert isinstance(case, OpenCaseWhileWaiting)
    [closed] = world.send(closes(1))
    [end] = react(closed, world.state(STRIPE))
    assert isinstance(end, CloseCase)
    assert end.case_id == case.case_id
    [second] = world.send(opens())
    assert case_of(second) != case.case_id


def case_of(event: Event) -> str:
    [_probe, case] = react(event, None)
    assert isinstance(case, OpenCaseWhileWaiting)
    return case.case_id
