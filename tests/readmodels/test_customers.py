"""The read model of customers: who they are, and a balance that adds up to the cent through every
story that money can take."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from uuid import uuid4

import pytest

from config import Settings
from domain.contracts.commands import BillInstalment
from domain.customers.commands import RegisterCustomer
from domain.dispatch import Dispatcher
from domain.kernel.ids import write_id
from domain.kernel.time import add_months
from domain.payments.commands import ApproveRefund
from domain.payments.events import Reason
from domain.readmodels import customer_queries as q
from domain.readmodels import lists, paging, timelines
from domain.readmodels.balance import Balance
from domain.readmodels.customers import MODEL, CustomerRow
from domain.readmodels.registry import READMODELS
from domain.readmodels.timelines import Timeline, Wanted
from domain.stream.database import Database
from tests.readmodels.kit import DUE, Kit, Story


@pytest.fixture
def kit(settings: Settings) -> Iterator[Kit]:
    database = Database(settings.database_url, settings.kek)
    yield Kit(Dispatcher(database), READMODELS)
    database.close()


def detail(kit: Kit, customer_id: str) -> q.CustomerDetail:
    with kit.kontor.read() as connection:
        found = q.detail(connection, customer_id)
    assert found is not None
    return found


def parts(story: Story) -> dict[str, int]:
    """What is not zero of the balance; adding up and the books of the payments are checked."""
    found = detail(story.kit, story.customer_id)
    row = found.customer
    assert row.adds_up, row
    assert_books_agree(story, found)
    return {name: part for name in Balance.__struct_fields__ if (part := getattr(row, name))}


def assert_books_agree(story: Story, found: q.CustomerDetail) -> None:
    """Two ways to the same money: what was counted as received, and what payments brought."""
    money, row = found.money, found.customer
    net = money.collected - money.returned - money.refunded
    with story.kit.kontor.read() as connection:
        given = connection.execute(
            "SELECT coalesce(sum(r.amount), 0) FROM read.refund r JOIN read.payment p"
            " USING (payment_id) WHERE p.customer_id = %s AND p.returned_at IS NULL"
            "   AND r.reason <> 'premium-reduction'"
            "   AND r.status IN ('confirmed', 'paid-out', 'settled')",
            (story.customer_id,),
        ).fetchone()
    assert given is not None
    assert row.paid == net + int(given[0]) + row.owes_back


def approve(story: Story, refund_id: str) -> None:
    story.kit.do(
        ApproveRefund(
            by="staff:stf_jon",
            refund_id=refund_id,
            payment_id=story.payment_id,
            role="operations",
        )
    )
    story.kit.settle()


def bill_next(story: Story, number: int = 1) -> None:
    due = add_months(DUE, number)
    story.kit.do(BillInstalment(by="timer", contract_id=story.contract_id, due_on=due))
    story.kit.settle()


def test_who_it_is(kit: Kit) -> None:
    story = Story(kit, "Jürgen Übel")
    found = detail(kit, story.customer_id)
    row = found.customer
    assert (row.name, row.sorted_as, row.kind, row.city) == (
        "Jürgen Übel",
        "juergen uebel",
        "private",
        "Hamburg",
    )
    assert (row.street, row.postcode, row.email) == (
        "Am Sandtorkai 1",
        "20457",
        "nadia@example.org",
    )
    assert (row.contracts, len(found.contracts), found.contracts[0].number) == (
        1,
        1,
        story.contract_number,
    )
    assert [one.account for one in found.mandates] == ["DE3000"]
    with kit.kontor.read() as connection:
        assert q.detail(connection, write_id("cus", uuid4())) is None


def test_billed_collected_and_paid(kit: Kit) -> None:
    story = Story(kit)
    amount = story.amount
    assert parts(story) == {"billed": amount, "on_its_way": amount}
    story.confirmed()
    assert parts(story) == {"billed": amount, "paid": amount}
    bill_next(story)
    assert parts(story) == {"billed": 2 * amount, "paid": amount, "on_its_way": amount}
    assert detail(kit, story.customer_id).money.collected == amount


def test_what_failed_is_due_and_what_came_back_is_open_again(kit: Kit) -> None:
    failed, returned = Story(kit), Story(kit, "Otto Kraus")
    failed.failed()
    assert parts(failed) == {"billed": failed.amount, "due": failed.amount}
    returned.confirmed()
    returned.returned()
    assert parts(returned) == {"billed": returned.amount, "open_again": returned.amount}
    money = detail(kit, returned.customer_id).money
    assert (money.collected, money.returned, money.returns) == (
        returned.amount,
        returned.amount,
        1,
    )


def test_a_reduction_is_a_credit_until_its_refund_is_confirmed(kit: Kit) -> None:
    story = Story(kit)
    amount = story.amount
    story.confirmed()
    refund_id = story.refund(50_00)
    owed = {"billed": amount, "reduced": 50_00}
    assert parts(story) == {**owed, "paid": amount, "credit": 50_00}
    assert detail(kit, story.customer_id).money.going_back == 50_00
    story.refund_confirmed(refund_id)
    assert parts(story) == {**owed, "paid": amount - 50_00}
    assert detail(kit, story.customer_id).money.refunded == 50_00
    story.refund_failed(refund_id)
    assert parts(story) == {**owed, "paid": amount, "credit": 50_00}


def test_goodwill_lowers_nothing_that_is_owed(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund_confirmed(story.refund(10_00, Reason.GOODWILL))
    assert parts(story) == {"billed": story.amount, "paid": story.amount}
    assert detail(kit, story.customer_id).money.refunded == 10_00


@pytest.mark.parametrize("reason", [Reason.PREMIUM_REDUCTION, Reason.GOODWILL])
def test_a_return_after_a_refund_leaves_money_to_be_given_back(kit: Kit, reason: Reason) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund_confirmed(story.refund(50_00, reason))
    story.returned()
    reduced = 50_00 if reason is Reason.PREMIUM_REDUCTION else 0
    left = story.amount - reduced
    expected = {"billed": story.amount, "reduced": reduced, "open_again": left}
    assert parts(story) == {name: cents for name, cents in expected.items() if cents}
    assert detail(kit, story.customer_id).customer.owes_back == 50_00


def test_a_whole_premium_reduced(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(story.amount)
    approve(story, refund_id)
    story.refund_confirmed(refund_id)
    assert parts(story) == {"billed": story.amount, "reduced": story.amount}


def test_a_customer_without_a_contract(kit: Kit) -> None:
    customer_id = write_id("cus", uuid4())
    kit.do(
        RegisterCustomer(
            by="demo",
            customer_id=customer_id,
            number="K-9",
            kind="business",
            name="Werkstatt Petersen GmbH",
            street="Hafen 1",
            postcode="23552",
            city="Lübeck",
            email="post@example.org",
        )
    )
    kit.settle()
    found = detail(kit, customer_id)
    assert (found.customer.kind, found.contracts, found.mandates) == ("business", (), ())
    assert q.movements(found, DUE) == []


def test_the_next_movements_are_the_nearest_ones(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    bill_next(story)
    story.refund(120_00)
    moves = q.movements(detail(kit, story.customer_id), date(2026, 12, 9))
    assert [(one.on, one.amount, one.direction) for one in moves] == [
        (date(2026, 12, 9), 120_00, q.Direction.OUT),
        (date(2027, 1, 4), story.amount, q.Direction.IN),
        (date(2027, 2, 1), story.amount, q.Direction.IN),
        (date(2027, 3, 1), story.amount, q.Direction.IN),
        (date(2027, 4, 1), story.amount, q.Direction.IN),
    ]
    assert [bool(one.payment) for one in moves] == [False, True, False, False, False]


def test_open_work_stands_on_the_customer_and_closed_work_does_not(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(120_00)
    assert [case.refund_id for case in detail(kit, story.customer_id).cases] == [refund_id]
    approve(story, refund_id)
    assert detail(kit, story.customer_id).cases == ()


def happened(kit: Kit, story: Story, wanted: Wanted) -> Timeline:
    with kit.kontor.read() as connection:
        return timelines.of_customer(connection, story.customer_id, wanted)


def test_the_timeline_is_one_over_all_services(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    story, _other = Story(kit), Story(kit, "Otto Kraus")
    story.confirmed()
    story.refund(120_00)
    everything = happened(kit, story, Wanted()).entries
    assert {one.customer_id for one in everything} == {story.customer_id}
    assert {one.type.split("-")[0] for one in everything} >= {
        "customer",
        "mandate",
        "contract",
        "instalment",
        "receivable",
        "invoice",
        "payment",
        "refund",
        "case",
    }
    assert [one.feed_position for one in everything] == sorted(
        (one.feed_position for one in everything), reverse=True
    )
    quiet = happened(kit, story, Wanted(services=("work",), without=("case-opened",)))
    assert quiet.entries == ()
    monkeypatch.setattr(timelines, "PAGE", 4)
    seen: list[int] = []
    page = happened(kit, story, Wanted())
    while True:
        seen += [one.feed_position for one in page.entries]
        if page.after is None:
            break
        page = happened(kit, story, Wanted(after=page.after))
    assert seen == [one.feed_position for one in everything]


def listed(
    kit: Kit, filters: lists.Filters, sort: str = "name", *, down: bool = False
) -> list[CustomerRow]:
    with kit.kontor.read() as connection:
        order = lists.Order(sort=sort, down=down)
        return list(paging.page(connection, q.SOURCE, filters, order).rows)


def test_the_list_finds_and_sorts(kit: Kit) -> None:
    zander, ada = Story(kit, "Xaver Zander"), Story(kit, "Ádám Öz")
    zander.failed()
    assert [row.name for row in listed(kit, {})] == ["Ádám Öz", "Xaver Zander"]
    assert [row.name for row in listed(kit, {"words": "zan:* & hamburg:*"})] == ["Xaver Zander"]
    assert [row.name for row in listed(kit, {"open": True})] == ["Xaver Zander"]
    by_open = listed(kit, {}, "open", down=True)
    assert [row.open for row in by_open] == [zander.amount, 0]
    assert [row.customer_id for row in listed(kit, {"words": f"k{ada.number:06d}:*"})] == [
        ada.customer_id
    ]
    for sort in q.SOURCE.sorts:
        for down in (False, True):
            assert len(listed(kit, {}, sort, down=down)) == 2
    for condition in ("credit", "owes_back", "no_contract"):
        assert listed(kit, {condition: True}) == []


def test_built_anew_it_is_the_same(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund_confirmed(story.refund(50_00))
    story.returned()
    kit.at(datetime.fromisoformat("2026-12-12T09:00:00+00:00"))
    live, again = kit.rebuilt(MODEL)
    assert live == again


def test_an_erased_name_is_empty_after_a_rebuild(kit: Kit) -> None:
    story = Story(kit)
    with kit.kontor.read() as connection:
        connection.execute("DELETE FROM subject_key WHERE subject = %s", (story.customer_id,))
    kit.rebuilt(MODEL)
    with kit.kontor.read() as connection:
        row = connection.execute(
            "SELECT number, name, street, city, email, words, contracts, billed"
            "  FROM again.customer WHERE customer_id = %s",
            (story.customer_id,),
        ).fetchone()
    number = f"K-{story.number:06d}"
    assert row is not None
    assert row[:5] == (number, "", "", "", "")
    assert "nadia" not in row[5]
    assert number[2:] in row[5]
    assert row[6:] == (1, story.amount)
