"""The read model of Work: cases open and close with the facts, people's acts are events, tabs
count and sort by urgency, and a rebuilt model equals the live one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from config import Settings
from domain.dispatch import Dispatcher
from domain.kernel.ids import HOUSE, derive
from domain.payments.commands import ApproveRefund, RejectRefund
from domain.payments.events import Reason
from domain.readmodels import lists, paging
from domain.readmodels import work_queries as q
from domain.readmodels.lists import Order, Page, Place
from domain.readmodels.work import CASES, MODEL, CaseRow
from domain.stream.database import Database
from domain.work.commands import CloseCase, NoteCase, OpenCase, SnoozeCase, TakeCase, case_id
from domain.work.events import CaseType
from tests.readmodels.kit import BEGIN, Kit, Story

TODAY = BEGIN.date()
JON = "staff:stf_jon"


@pytest.fixture
def kit(settings: Settings) -> Iterator[Kit]:
    database = Database(settings.database_url, settings.kek)
    yield Kit(Dispatcher(database), [MODEL])
    database.close()


def detail(kit: Kit, case: str) -> q.Detail:
    with kit.kontor.read() as connection:
        found = q.detail(connection, case)
    assert found is not None
    return found


def overview(kit: Kit, today: date = TODAY, actor: str = JON) -> q.Overview:
    with kit.kontor.read() as connection:
        return q.overview(connection, actor, today)


def listed(kit: Kit, tab: q.Tab, today: date = TODAY, place: Place | None = None) -> Page[CaseRow]:
    order = Order(sort="closed", down=True) if tab is q.Tab.CLOSED else Order(sort="urgency")
    with kit.kontor.read() as connection:
        return paging.page(connection, q.CASES, q.of_tab(tab, JON, today), order, place)


def subjects(page: Page[CaseRow]) -> list[str]:
    return [case.details["name"] for case in page.rows]


def open_case(kit: Kit, name: str, *, until: date | None = TODAY, amount: int | None = None) -> str:
    """A case of the house; only its place in the list matters."""
    subject = derive("po", HOUSE, name)
    case = case_id(CaseType.PAYOUT_DIFFERS, subject)
    kit.do(
        OpenCase(
            by="flow:settling",
            case_id=case,
            case_type=CaseType.PAYOUT_DIFFERS,
            subject=subject,
            amount=amount,
            until=until,
            details={"name": name},
        )
    )
    kit.settle()
    return case


def test_a_refund_that_waits_for_a_second_person(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(120_00, note="The bicycle was sold.")
    found = detail(kit, case_id(CaseType.REFUND_APPROVAL, refund_id))
    assert found.case.customer == "Nadia Brandt"
    assert (found.case.amount, found.case.until) == (120_00, date(2026, 12, 23))
    assert (found.case.refund_id, found.case.payment_id) == (refund_id, story.payment_id)
    assert found.request is not None
    assert (found.request.requested_by, found.request.note) == (
        "staff:stf_mia",
        "The bicycle was sold.",
    )
    assert found.request.reason == Reason.PREMIUM_REDUCTION
    assert found.billed is not None
    assert found.billed.contract_number == story.contract_number


@pytest.mark.parametrize("decision", [ApproveRefund, RejectRefund])
def test_it_closes_itself_with_the_decision(
    kit: Kit, decision: type[ApproveRefund] | type[RejectRefund]
) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(120_00)
    case = case_id(CaseType.REFUND_APPROVAL, refund_id)
    assert detail(kit, case).case.closed_at is None
    kit.do(decision(by=JON, refund_id=refund_id, payment_id=story.payment_id, role="operations"))
    kit.settle()
    closed = detail(kit, case).case
    assert (closed.closed_how, closed.closed_by) == ("fact", "flow:refunding")
    assert overview(kit, date(2026, 12, 9)).all == 0


def test_a_return_opens_a_case_with_its_code(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    story.returned("AC04", "account_closed")
    found = detail(kit, case_id(CaseType.PAYMENT_RETURNED, story.payment_id))
    assert found.case.details == {"code": "AC04", "raw_code": "account_closed"}
    assert (found.case.payment_id, found.case.amount) == (story.payment_id, story.amount)


def test_take_snooze_note_and_close_are_told(kit: Kit) -> None:
    case = open_case(kit, "a", until=TODAY - timedelta(days=1))
    assert (overview(kit).mine, overview(kit).late, overview(kit).all) == (0, 1, 1)
    kit.do(TakeCase(by=JON, case_id=case))
    kit.do(NoteCase(by=JON, case_id=case, note="Asked Stripe."))
    kit.settle()
    assert overview(kit).mine == 1
    assert overview(kit, actor="staff:stf_mia").mine == 0
    assert detail(kit, case).case.notes == 1
    kit.do(SnoozeCase(by=JON, case_id=case, until=TODAY + timedelta(days=1)))
    kit.settle()
    counts = overview(kit)
    assert (counts.mine, counts.late, counts.all, counts.snoozed) == (0, 0, 0, 1)
    assert subjects(listed(kit, q.Tab.SNOOZED)) == ["a"]
    assert subjects(listed(kit, q.Tab.ALL)) == []
    tomorrow = TODAY + timedelta(days=1)
    assert subjects(listed(kit, q.Tab.MINE, tomorrow)) == ["a"]
    kit.do(CloseCase(by=JON, case_id=case, how="remark", remark="Stripe paid the rest."))
    kit.settle()
    counts = overview(kit, tomorrow)
    assert (counts.all, counts.snoozed, counts.closed) == (0, 0, 1)
    assert detail(kit, case).case.closed_by == JON


def test_the_most_urgent_comes_first_and_pages_hold_everything_once(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_case(kit, "no deadline", until=None, amount=900_00)
    open_case(kit, "tomorrow", until=TODAY + timedelta(days=1))
    open_case(kit, "today, little", amount=1)
    open_case(kit, "today, much", amount=100_00)
    open_case(kit, "late, nothing", until=TODAY - timedelta(days=3), amount=None)
    wanted = ["late, nothing", "today, much", "today, little", "tomorrow", "no deadline"]
    assert subjects(listed(kit, q.Tab.ALL)) == wanted
    for rows in (1, 2, 3):
        monkeypatch.setattr(lists, "PAGE", rows)
        page = listed(kit, q.Tab.ALL)
        seen = subjects(page)
        while page.after is not None:
            page = listed(kit, q.Tab.ALL, place=page.after)
            seen += subjects(page)
        assert seen == wanted


def test_closed_cases_come_newest_first_and_their_count_is_bounded(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second", "third"):
        case = open_case(kit, name)
        kit.do(CloseCase(by=JON, case_id=case, how="remark", remark="Done."))
    kit.settle()
    monkeypatch.setattr(lists, "PAGE", 2)
    page = listed(kit, q.Tab.CLOSED)
    assert subjects(page) == ["third", "second"]
    assert subjects(listed(kit, q.Tab.CLOSED, place=page.after)) == ["first"]
    monkeypatch.setattr(q, "COUNT_CAP", 2)
    assert overview(kit).closed_capped


def test_a_text_that_is_no_id_is_no_case(kit: Kit) -> None:
    with kit.kontor.read() as connection:
        assert q.detail(connection, "cs_\0") is None


def test_the_day_counts_what_took_care_of_itself(kit: Kit) -> None:
    case = open_case(kit, "a")
    before = overview(kit).by_itself
    assert before == 1
    kit.do(TakeCase(by=JON, case_id=case))
    kit.settle()
    assert overview(kit).by_itself == before
    open_case(kit, "b")
    assert overview(kit).by_itself == before + 1
    assert overview(kit, TODAY + timedelta(days=1)).by_itself == 0


def test_a_rebuilt_model_equals_the_live_one(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund(120_00)
    case = open_case(kit, "a", until=None)
    kit.do(TakeCase(by=JON, case_id=case))
    kit.do(NoteCase(by=JON, case_id=case, note="Asked Stripe."))
    story.returned()
    kit.do(CloseCase(by=JON, case_id=case, how="remark", remark="Done."))
    kit.settle()
    live, again = kit.rebuilt(MODEL)
    assert live == again
    assert all(live.values())
    with kit.kontor.read() as connection:
        connection.execute("DELETE FROM read.work_case WHERE case_id = %s", (case,))
        assert MODEL.digest(connection)[CASES.name] != again[CASES.name]


def test_rows_hold_every_column() -> None:
    assert set(CaseRow.__struct_fields__) == {part.split()[0] for part in CASES.columns.split(",")}
