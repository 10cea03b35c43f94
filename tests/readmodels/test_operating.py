"""What was set aside can be seen, raises a case, and is set going again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config import Settings
from domain import operating
from domain.dispatch import Dispatcher
from domain.kernel.ids import read_id
from domain.kernel.message import Refused
from domain.kernel.time import berlin
from domain.readmodels import stream
from domain.readmodels.registry import READMODELS
from domain.registry import FLOWS
from domain.stream import inbox
from domain.stream.database import Database
from domain.work.case import Case, Status
from domain.work.events import CaseType
from tests.readmodels.aside import (
    parked_effect,
    parked_stream,
    quarantine,
    quarantined,
    repair,
)
from tests.readmodels.kit import DUE, Following, Story

PERSON = "staff:stf_mia"
CONSUMERS = {model.name for model in READMODELS} | {f"flow:{flow.name}" for flow in FLOWS}


@pytest.fixture
def kontor(settings: Settings) -> Iterator[Dispatcher]:
    database = Database(settings.database_url, settings.kek)
    yield Dispatcher(database)
    database.close()


@pytest.fixture
def kit(kontor: Dispatcher) -> Following:
    return Following(kontor)


def case_of(kontor: Dispatcher, case_id: str) -> Case:
    state = kontor.state(case_id)
    assert isinstance(state, Case)
    return state


def test_health_knows_every_reader_and_what_it_lacks(kit: Following) -> None:
    Story(kit)
    health = operating.health(kit.kontor)
    assert set(health.lags) == CONSUMERS
    assert set(health.lags.values()) == {0}
    assert health.last_position > 5
    assert health.effects_by_state["waiting"] == 1, "the invoice waits for its PDF"
    assert not health.parked_streams
    assert not health.parked_effects
    assert not health.quarantined


def test_a_parked_stream_is_released_for_one_reader_after_the_other(kit: Following) -> None:
    customer = parked_stream(kit)
    Story(kit)
    assert {one.consumer for one in operating.health(kit.kontor).parked_streams} == CONSUMERS
    with pytest.raises(Refused, match="still stumbles"):
        operating.release_stream(kit.kontor, "stream", customer, PERSON)
    repair(kit, customer)
    for consumer in sorted(CONSUMERS):
        assert operating.release_stream(kit.kontor, consumer, customer, PERSON)
        parked = {one.consumer for one in operating.health(kit.kontor).parked_streams}
        assert consumer not in parked
    with kit.kontor.read() as connection:
        assert [one.type for one in stream.timeline(connection, [customer])] == [
            "customer-registered"
        ]
    assert not operating.release_stream(kit.kontor, "stream", customer, PERSON), "it is not parked"


def test_a_rebuilt_model_equals_the_live_one_after_a_release(kit: Following) -> None:
    customer = parked_stream(kit)
    Story(kit)
    repair(kit, customer)
    operating.release_stream(kit.kontor, "stream", customer, PERSON)
    live, again = kit.rebuilt(stream.MODEL)
    assert live == again


def test_each_thing_set_aside_raises_one_case_that_its_release_closes(kit: Following) -> None:
    customer, notification = parked_stream(kit), quarantined(kit.kontor)
    Story(kit)
    effect_id = parked_effect(kit.kontor, "render")
    health = operating.health(kit.kontor)
    cases = {
        *(operating.stream_case(one) for one in health.parked_streams),
        operating.effect_case(health.parked_effects[0]),
        operating.notification_case(health.quarantined[0]),
    }
    assert operating.raise_cases(kit.kontor) == len(CONSUMERS) + 2 == len(cases)
    kit.settle()
    assert operating.raise_cases(kit.kontor) == 0, "each opens once"
    assert {case_of(kit.kontor, one).status for one in cases} == {Status.OPEN}
    repair(kit, customer)
    for one in health.parked_streams:
        assert operating.release_stream(kit.kontor, one.consumer, customer, PERSON)
    assert operating.release_effect(kit.kontor, effect_id, PERSON)
    assert operating.translate_again(kit.kontor, "stripe", notification, PERSON)
    assert {case_of(kit.kontor, one).status for one in cases} == {Status.CLOSED}
    assert not operating.release_effect(kit.kontor, effect_id, PERSON)
    assert not operating.translate_again(kit.kontor, "stripe", notification, PERSON)


def test_a_case_closes_when_its_thing_is_gone_without_a_release(kit: Following) -> None:
    notification = quarantined(kit.kontor)
    case_id = operating.notification_case(operating.health(kit.kontor).quarantined[0])
    operating.raise_cases(kit.kontor)
    kit.settle()
    with kit.kontor.read() as connection:
        inbox.retranslate(connection, "stripe", notification)
    assert operating.raise_cases(kit.kontor) == 1
    assert case_of(kit.kontor, case_id).status is Status.CLOSED
    kit.settle()
    assert operating.raise_cases(kit.kontor) == 0


def test_what_is_set_aside_again_is_another_case(kit: Following) -> None:
    notification = quarantined(kit.kontor)
    first = operating.notification_case(operating.health(kit.kontor).quarantined[0])
    operating.raise_cases(kit.kontor)
    operating.translate_again(kit.kontor, "stripe", notification, PERSON)
    quarantine(kit.kontor, notification)
    second = operating.notification_case(operating.health(kit.kontor).quarantined[0])
    kit.settle()
    assert operating.raise_cases(kit.kontor) == 1
    assert second != first
    assert case_of(kit.kontor, second).status is Status.OPEN


def test_a_released_money_effect_is_asked_about_first(kit: Following) -> None:
    story = Story(kit)
    render = parked_effect(kit.kontor, "render")
    operating.release_effect(kit.kontor, render, PERSON)
    assert operating.health(kit.kontor).effects_by_state == {"waiting": 1, "parked": 0}
    story.rendered()
    kit.at(berlin(DUE, 6))
    submit = parked_effect(kit.kontor, "submit_payment")
    operating.release_effect(kit.kontor, submit, PERSON)
    assert operating.health(kit.kontor).effects_by_state["unknown"] == 1


def test_a_held_statement_has_a_case_of_its_own_kind(kit: Following) -> None:
    assert operating.receive_statement(kit.kontor, "may.xml", b"<no-statement/>") is None
    known = operating.bank_file(kit.kontor, b"<no-statement/>")
    assert known is not None
    assert known.state == "waiting"
    quarantine(kit.kontor, known.notification_id, "bank")
    again = operating.receive_statement(kit.kontor, "june.xml", b"<no-statement/>")
    assert again is not None
    assert again.state == "quarantined"
    held = operating.health(kit.kontor).quarantined[0]
    operating.raise_cases(kit.kontor)
    opened = case_of(kit.kontor, operating.notification_case(held)).opened
    assert opened is not None
    assert opened.case_type is CaseType.HELD_STATEMENT
    assert [one.reason for one in operating.bank_files_not_imported(kit.kontor)] == [again.reason]


def test_subjects_can_be_read_back(kit: Following) -> None:
    Story(kit)
    effect_id = parked_effect(kit.kontor, "render")
    assert read_id(operating.effect_subject(effect_id), "fx") == effect_id
    one, other = (operating.notification_subject("stripe", name) for name in ("evt_1", "evt_2"))
    assert read_id(one, "ntf") != read_id(other, "ntf")


def test_a_cut_list_closes_nothing(kit: Following, monkeypatch: pytest.MonkeyPatch) -> None:
    quarantined(kit.kontor)
    quarantined(kit.kontor)
    operating.raise_cases(kit.kontor)
    kit.settle()
    monkeypatch.setattr("domain.operating.watch.LISTED_MAX", 1)
    monkeypatch.setattr("domain.operating.cases.LISTED_MAX", 1)
    assert operating.raise_cases(kit.kontor) == 0
