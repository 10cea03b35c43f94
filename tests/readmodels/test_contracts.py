"""The read model of contracts: the plan as signed, what was billed of it, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import uuid4

import pytest

from config import Settings
from domain.contracts.commands import BillInstalment, SignContract
from domain.contracts.events import ContractSigned, Cover, Rounding
from domain.contracts.schedule import coming, premium_of_year
from domain.dispatch import Dispatcher
from domain.kernel.ids import derive, write_id
from domain.kernel.time import BEGINNING, add_months
from domain.payments.commands import ApproveRefund, RevokeMandate
from domain.readmodels import contract_queries as q
from domain.readmodels import lists, paging, timelines
from domain.readmodels.contracts import MODEL, ContractRow, Standing
from domain.readmodels.invoices import Kind
from domain.readmodels.registry import READMODELS
from domain.readmodels.timelines import Wanted
from domain.stream.database import Database
from tests.readmodels.kit import DUE, Kit, Story


@pytest.fixture
def kit(settings: Settings) -> Iterator[Kit]:
    database = Database(settings.database_url, settings.kek)
    yield Kit(Dispatcher(database), READMODELS)
    database.close()


def detail(kit: Kit, contract_id: str) -> q.ContractDetail:
    with kit.kontor.read() as connection:
        found = q.detail(connection, contract_id)
    assert found is not None
    return found


def contract(story: Story) -> ContractRow:
    return detail(story.kit, story.contract_id).contract


def plan(rhythm: int, rounding: Rounding = Rounding.ANNUAL_FIRST) -> ContractSigned:
    return ContractSigned(
        at=BEGINNING,
        contract_id="ct_1",
        customer_id="cus_1",
        mandate_id="man_1",
        number="1",
        product="Household",
        covers=(Cover(name="Household", net_year=100_00, tax_rate_bp=1900),),
        instalments_per_year=rhythm,
        surcharge_bp=0,
        rounding=rounding,
        first_due_on=date(2026, 12, 31),
        prenotification_days=14,
    )


@pytest.mark.parametrize("rhythm", [1, 2, 4, 12])
def test_the_instalments_of_a_year_are_its_premium(rhythm: int) -> None:
    signed = plan(rhythm)
    assert premium_of_year(signed) == 119_00
    ahead = coming(signed, 0, rhythm + 1)
    assert sum(one.amount for one in ahead[:rhythm]) == 119_00
    assert ahead[rhythm].due_on == date(2027, 12, 31)
    assert [one.number for one in ahead] == list(range(rhythm + 1))


def test_rounded_instalments_may_sum_to_another_premium() -> None:
    assert premium_of_year(plan(12, Rounding.INSTALMENT_FIRST)) == 12 * 991


def test_a_month_that_is_shorter_ends_earlier() -> None:
    january, february, march = coming(plan(12), 1, 3)
    assert (january.due_on, january.period_to) == (date(2027, 1, 31), date(2027, 2, 27))
    assert (february.due_on, march.due_on) == (date(2027, 2, 28), date(2027, 3, 31))


def test_the_plan_stands_as_signed_and_billing_moves_it_on(kit: Kit) -> None:
    story = Story(kit)
    row = contract(story)
    assert (row.number, row.product, row.customer) == (
        story.contract_number,
        "Household",
        "Nadia Brandt",
    )
    assert row.premium == 12 * story.amount
    assert (row.instalments, row.next_due_on) == (1, add_months(DUE, 1))
    assert [cover.name for cover in row.covers] == ["Household", "Bicycle"]
    assert row.plan.contract_id == story.contract_id
    first, second = q.coming(row, 2)
    assert (first.instalment.due_on, first.billed_on, first.debit_on) == (
        date(2027, 1, 1),
        date(2026, 12, 11),
        date(2027, 1, 4),
    )
    assert (second.instalment.number, second.instalment.amount) == (2, story.amount)


def test_its_money_its_payments_and_its_documents(kit: Kit) -> None:
    story, other = Story(kit), Story(kit, "Otto Kraus")
    story.confirmed()
    kit.do(BillInstalment(by="timer", contract_id=story.contract_id, due_on=add_months(DUE, 1)))
    kit.settle()
    refund_id = story.refund(50_00)
    found = detail(kit, story.contract_id)
    assert [one.instalment for one in found.instalments] == [1, 0]
    assert found.contract.adds_up
    assert (found.contract.on_its_way, found.contract.credit) == (story.amount, 50_00)
    assert (found.money.collected, found.money.going_back, found.money.payments) == (
        story.amount,
        50_00,
        2,
    )
    assert [one.refund_id for one in found.refunds] == [refund_id]
    assert sorted(one.kind for one in found.documents) == [
        Kind.CORRECTION,
        Kind.INVOICE,
        Kind.INVOICE,
    ]
    newest, first = found.scheduled
    assert first.document is not None
    assert first.payment is not None
    assert (first.document.document_id, first.payment.payment_id) == (
        story.invoice_id,
        story.payment_id,
    )
    assert newest.payment is not None
    assert detail(kit, other.contract_id).money.payments == 1


def test_cases_stand_on_the_contract_open_ones_first(kit: Kit) -> None:
    story, other = Story(kit), Story(kit, "Otto Kraus")
    other.failed()
    story.confirmed()
    story.refund_failed(story.refund(5_00))
    waiting = {"refund_id": story.refund(120_00), "payment_id": story.payment_id}
    kit.do(ApproveRefund(by="staff:stf_jon", role="operations", **waiting))
    kit.settle()
    cases = detail(kit, story.contract_id).cases
    assert [(case.case_type, case.closed_at is None) for case in cases] == [
        ("refund-failed", True),
        ("refund-approval", False),
    ]
    assert {case.payment_id for case in cases} == {story.payment_id}
    assert [case.case_type for case in detail(kit, other.contract_id).cases] == ["payment-failed"]


def test_standing_follows_the_money(kit: Kit) -> None:
    story = Story(kit)
    assert contract(story).standing is Standing.IN_ORDER
    story.confirmed()
    assert contract(story).standing is Standing.IN_ORDER
    story.returned()
    row = contract(story)
    assert (row.standing, row.open_again) == (Standing.OPEN, story.amount)


def test_a_revoked_mandate_is_shown(kit: Kit) -> None:
    story = Story(kit)
    kit.do(RevokeMandate(by="staff:stf_mia", mandate_id=story.mandate_id))
    kit.settle()
    mandate = detail(kit, story.contract_id).mandate
    assert mandate is not None
    assert (mandate.account, mandate.revoked_at is not None) == ("DE3000", True)


def test_what_left_us_twice_is_owed_back(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund_confirmed(story.refund(50_00))
    story.returned()
    assert detail(kit, story.contract_id).owes_back == 50_00


def test_a_contract_that_bills_nothing_yet(kit: Kit) -> None:
    customer_id = write_id("cus", uuid4())
    contract_id = derive("ct", customer_id, customer_id, "quiet")
    kit.do(
        SignContract(
            by="demo",
            contract_id=contract_id,
            customer_id=customer_id,
            mandate_id=derive("man", customer_id, customer_id),
            number="HR-9",
            product="Household",
            covers=(Cover(name="Household", net_year=100_00, tax_rate_bp=1900),),
            instalments_per_year=4,
            surcharge_bp=300,
            rounding=Rounding.ANNUAL_FIRST,
            first_due_on=date(2027, 5, 31),
        )
    )
    kit.settle()
    found = detail(kit, contract_id)
    assert (found.contract.standing, found.contract.billed) == (Standing.NOT_BILLED, 0)
    assert (found.mandate, found.payments, found.documents, found.cases) == (None, (), (), ())
    with kit.kontor.read() as connection:
        assert q.detail(connection, derive("ct", customer_id, "nobody")) is None


def test_the_timeline_of_a_contract_leaves_others_out(kit: Kit) -> None:
    story, other = Story(kit), Story(kit, "Otto Kraus")
    other.failed()
    story.confirmed()
    refund_id = story.refund(50_00)
    story.refund_confirmed(refund_id)
    story.returned()
    with kit.kontor.read() as connection:
        entries = timelines.of_contract(connection, story.contract_id, Wanted()).entries
        others = timelines.of_contract(connection, other.contract_id, Wanted()).entries
        every = timelines.of_customer(connection, story.customer_id, Wanted()).entries
    assert [one.feed_position for one in entries] == [
        one.feed_position for one in every if one.type != "customer-registered"
    ][: len(entries)]
    assert {one.stream.partition("_")[0] for one in every} >= {"rec", "rf", "cs", "inv", "rcv"}
    assert {one.customer_id for one in others} == {other.customer_id}


def listed(
    kit: Kit, filters: lists.Filters, sort: str = "number", *, down: bool = False
) -> list[str]:
    with kit.kontor.read() as connection:
        order = lists.Order(sort=sort, down=down)
        return [row.number for row in paging.page(connection, q.SOURCE, filters, order).rows]


def test_the_list_finds_and_sorts(kit: Kit) -> None:
    first, second = Story(kit, "Xaver Zander", covers=1), Story(kit, "Ada Ahrens")
    first.failed()
    both = [first.contract_number, second.contract_number]
    assert listed(kit, {}) == both
    assert listed(kit, {}, "customer") == both[::-1]
    assert listed(kit, {}, "premium", down=True) == both[::-1]
    assert listed(kit, {}, "open", down=True) == both
    assert listed(kit, {"words": "ahr:*"}) == both[1:]
    assert listed(kit, {"standing": "open"}) == both[:1]
    assert listed(kit, {"customer_id": second.customer_id}) == both[1:]
    assert listed(kit, {"rhythm": "4"}) == []
    for sort in q.SOURCE.sorts:
        assert len(listed(kit, {}, sort, down=True)) == 2


def test_built_anew_it_is_the_same(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund_confirmed(story.refund(50_00))
    story.returned()
    kit.do(RevokeMandate(by="staff:stf_mia", mandate_id=story.mandate_id))
    kit.settle()
    live, again = kit.rebuilt(MODEL)
    assert live == again
