"""Cases: opened once, worked on by people, closed once by fact or by act."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.kernel.ids import HOUSE
from domain.kernel.message import Event
from domain.work import commands as c
from domain.work import events as e
from domain.work.commands import case_id
from domain.work.events import CaseType
from tests.domain import facts as f
from tests.spec import World, given, stream_of

AT = f.REFUND_DAY
CASE = case_id(CaseType.PAYMENT_FAILED, f.PAYMENT)


def opening(case_type: CaseType = CaseType.PAYMENT_FAILED, **changes: Any) -> c.OpenCase:
    fields: dict[str, Any] = {
        "by": "flow:collecting",
        "at": AT,
        "case_id": CASE,
        "case_type": case_type,
        "subject": f.PAYMENT,
        "customer_id": f.CUSTOMER,
        "amount": 12_50,
        "details": {"code": "AM04"},
    }
    return c.OpenCase(**fields | changes)


def opened(**changes: Any) -> list[Event]:
    world = World()
    world.send(opening(**changes))
    return world.events


def act(kind: type[c.CaseCommand], by: str = "staff:mia", **fields: Any) -> c.CaseCommand:
    return kind(by=by, at=AT, case_id=CASE, **fields)


ACTS = {
    "take": act(c.TakeCase),
    "snooze": act(c.SnoozeCase, until=date(2026, 12, 10)),
    "note": act(c.NoteCase, note="called"),
    "close": act(c.CloseCase, how="done", remark="settled by phone"),
}
BY_FACT = act(c.CloseCase, by="flow:collecting")


def test_a_case_opens_once_even_when_closed() -> None:
    (event,) = given([]).when(opening()).records(e.CaseOpened)
    assert isinstance(event, e.CaseOpened)
    assert (event.subject, event.amount, event.details) == (f.PAYMENT, 12_50, {"code": "AM04"})
    world = World([event])
    world.send(BY_FACT)
    given(world.events).when(opening(amount=1)).nothing()


def test_one_case_for_one_subject_and_occasion() -> None:
    ids = {
        case_id(CaseType.PARKED_STREAM, f.PAYMENT),
        case_id(CaseType.PARKED_STREAM, f.PAYMENT, "17"),
        case_id(CaseType.PARKED_EFFECT, f.PAYMENT),
        case_id(CaseType.PARKED_STREAM, f.REFUND),
    }
    assert len(ids) == 4
    assert case_id(CaseType.PARKED_STREAM, f.PAYMENT, "17") in ids


def test_taken_and_taken_over() -> None:
    take, over = ACTS["take"], act(c.TakeCase, by="staff:jon")
    taken = e.CaseTaken(at=AT, case_id=CASE, taken_by="staff:mia")
    given(opened()).when(take).then([taken])
    (event,) = given([*opened(), taken]).when(over).records(e.CaseTaken)
    assert isinstance(event, e.CaseTaken)
    assert event.taken_by == "staff:jon"


def test_put_off_to_a_day_to_come() -> None:
    snoozed = e.CaseSnoozed(at=AT, case_id=CASE, until=date(2026, 12, 10))
    given(opened()).when(ACTS["snooze"]).then([snoozed])
    today = act(c.SnoozeCase, until=date(2026, 12, 9))
    given(opened()).when(today).refused("a day that is still to come")


def test_a_note_is_sealed_under_the_customer_or_the_house() -> None:
    for customer, subject in ((f.CUSTOMER, f.CUSTOMER), (None, HOUSE)):
        note = act(c.NoteCase, note="  called back  ")
        (event,) = World(opened(customer_id=customer)).send(note)
        assert isinstance(event, e.CaseNoted)
        assert (event.note, event.seal_subject) == ("called back", subject)
    given(opened()).when(act(c.NoteCase, note="  ")).refused("A note needs a text")


def test_closed_by_hand_with_a_remark() -> None:
    events = World(opened()).send(ACTS["close"])
    assert [type(event) for event in events] == [e.CaseClosed]
    for remark in (None, "", "  "):
        command = act(c.CloseCase, how="done", remark=remark)
        given(opened()).when(command).refused("needs a remark that says why")


def test_closed_by_fact() -> None:
    given(opened()).when(BY_FACT).records(e.CaseClosed)
    given([]).when(BY_FACT).nothing()


def test_an_approval_closes_only_by_deciding() -> None:
    past = opened(case_type=CaseType.REFUND_APPROVAL)
    given(past).when(ACTS["close"]).refused("approves or rejects the refund")
    given(past).when(BY_FACT).records(e.CaseClosed)


@pytest.mark.parametrize("name", ACTS)
def test_nothing_is_done_to_a_case_that_is_closed_or_never_was(name: str) -> None:
    world = World(opened())
    world.send(BY_FACT)
    given(world.events).when(ACTS[name]).refused("closed already")
    given([]).when(ACTS[name]).refused("does not exist")


def test_opened_only_while_its_subject_waits() -> None:
    (listed,) = World().send(f.list_payout())
    payout = stream_of(listed)
    command = c.OpenCaseWhileWaiting(
        by="timer",
        case_id=case_id(CaseType.PAYOUT_MISSING, payout),
        case_type=CaseType.PAYOUT_MISSING,
        subject=payout,
    )
    given([listed]).when(command).records(e.CaseOpened)
    given([]).when(command).nothing()
    for state, waits in (("submitted", True), ("accepted", True), ("confirmed", False)):
        world = World(f.payment_until(state))
        about_payment = c.OpenCaseWhileWaiting(
            by="worker",
            case_id=CASE,
            case_type=CaseType.OUTCOME_UNRESOLVED,
            subject=f.PAYMENT,
        )
        assert bool(world.decide(about_payment)) is waits
