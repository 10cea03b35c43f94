"""The read model of payments: one row tells the whole life, sums follow the refunds, the list
filters, sorts and pages, and a rebuilt model equals the live one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from uuid import uuid4

import pytest

from config import Settings
from domain.dispatch import Dispatcher
from domain.kernel.ids import HOUSE, derive
from domain.payments import commands as pay
from domain.payments.events import Reason
from domain.payments.payment import Payment, Status
from domain.readmodels import paging
from domain.readmodels import payment_queries as q
from domain.readmodels.lists import NOTHING, Order, Place, Way, values_at
from domain.readmodels.payments import MODEL, PaymentRow
from domain.readmodels.refunds import MODEL as REFUNDS
from domain.readmodels.words import prefix_query
from domain.stream.database import Database
from tests.readmodels.kit import DUE, Kit, Story

PAYOUT = derive("po", HOUSE, "stripe", "trace-1")


@pytest.fixture
def kit(settings: Settings) -> Iterator[Kit]:
    database = Database(settings.database_url, settings.kek)
    yield Kit(Dispatcher(database), [MODEL, REFUNDS])
    database.close()


def detail(kit: Kit, story: Story) -> q.PaymentDetail:
    with kit.kontor.read() as connection:
        found = q.detail(connection, story.payment_id)
    assert found is not None
    return found


def row(kit: Kit, story: Story) -> PaymentRow:
    return detail(kit, story).payment


def customers(kit: Kit, **filters: object) -> list[str]:
    with kit.kontor.read() as connection:
        page = paging.page(connection, q.PAYMENTS, filters, Order(sort="customer"))
        assert page.count.number == len(page.rows)
    return [row.customer for row in page.rows]


def assert_same_sums(kit: Kit, story: Story) -> None:
    """The screen shows what the decider decides with."""
    state = kit.kontor.state(story.payment_id)
    assert isinstance(state, Payment)
    shown = row(kit, story)
    assert (shown.status, shown.refunded, shown.reserved, shown.left) == (
        state.status,
        state.refunded,
        state.reserved,
        state.left,
    )


def test_a_scheduled_payment_knows_its_invoice(kit: Kit) -> None:
    story = Story(kit)
    shown = row(kit, story)
    assert shown.status is Status.SCHEDULED
    assert shown.customer == "Nadia Brandt"
    assert shown.contract_number == story.contract_number
    assert shown.invoice_number.startswith("B2C-") or shown.invoice_number
    assert shown.mandate_reference == f"M-{story.contract_number}"
    assert shown.account == "DE3000"
    assert (shown.amount, shown.debit_on, shown.period_from) == (story.amount, DUE, DUE)
    assert shown.left == 0


def test_the_whole_way_to_our_account(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    confirmed = row(kit, story)
    assert confirmed.status is Status.CONFIRMED
    assert confirmed.reference == "pi_1"
    assert confirmed.reversible_until == date(2027, 1, 26)
    kit.do(
        pay.MarkPaymentPaidOut(
            by="flow:settling",
            payment_id=story.payment_id,
            reference="pi_1",
            payout_id=PAYOUT,
            fee=35,
        )
    )
    kit.settle()
    assert row(kit, story).status is Status.PAID_OUT
    assert row(kit, story).fee == 35
    kit.do(pay.SettlePayment(by="flow:settling", payment_id=story.payment_id, payout_id=PAYOUT))
    kit.settle()
    settled = row(kit, story)
    assert settled.status is Status.SETTLED
    assert settled.version > confirmed.version
    assert None not in (settled.submitted_at, settled.confirmed_at, settled.paid_out_at)
    live, rebuilt = kit.rebuilt(MODEL)
    assert live == rebuilt


def test_refunds_move_the_sums(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    first = story.refund(40_00, Reason.GOODWILL)
    assert_same_sums(kit, story)
    assert row(kit, story).reserved == 40_00
    story.refund_confirmed(first)
    assert_same_sums(kit, story)
    assert row(kit, story).refunded == 40_00
    second = story.refund(80_00, Reason.OVERPAYMENT)
    kit.do(pay.WithdrawRefund(by="staff:stf_mia", refund_id=second, payment_id=story.payment_id))
    kit.settle()
    assert_same_sums(kit, story)
    assert row(kit, story).reserved == 0
    story.refund_failed(first)
    assert_same_sums(kit, story)
    assert row(kit, story).left == story.amount
    shown = detail(kit, story)
    assert [refund.refund_id for refund in shown.refunds] == [first, second]
    assert shown.version == max(r.version for r in (shown.payment, *shown.refunds))
    live, rebuilt = kit.rebuilt(MODEL)
    assert live == rebuilt


def test_failed_and_returned_keep_their_codes(kit: Kit) -> None:
    failed, returned = Story(kit), Story(kit, "Otto Kraus")
    failed.rendered()
    failed.failed("AM04", "insufficient_funds")
    assert (row(kit, failed).status, row(kit, failed).code) == (Status.FAILED, "AM04")
    returned.confirmed()
    reserved = returned.refund(20_00, Reason.GOODWILL)
    returned.returned()
    shown = row(kit, returned)
    assert (shown.status, shown.code, shown.returned) == (
        Status.RETURNED,
        "MD06",
        returned.amount,
    )
    assert (shown.return_fee, shown.reserved, shown.left) == (750, 0, 0)
    assert detail(kit, returned).refunds[0].refund_id == reserved
    assert_same_sums(kit, returned)


def test_a_lost_answer_is_a_state(kit: Kit) -> None:
    story = Story(kit)
    story.rendered()
    kit.do(
        pay.SubmitPayment(
            by="worker", payment_id=story.payment_id, mandate_id=story.mandate_id, key="k"
        )
    )
    kit.do(pay.RecordPaymentUnknown(by="worker", payment_id=story.payment_id, why="timeout"))
    kit.settle()
    shown = row(kit, story)
    assert (shown.status, shown.unknown_why) == (Status.OUTCOME_UNKNOWN, "timeout")
    assert shown.unknown_at is not None


def test_filters(kit: Kit) -> None:
    brandt, mueller = Story(kit), Story(kit, "Jörg Müller-Weiß")
    brandt.confirmed()
    assert customers(kit) == ["Jörg Müller-Weiß", "Nadia Brandt"]
    assert customers(kit, status=Status.CONFIRMED) == ["Nadia Brandt"]
    assert customers(kit, statuses=[Status.CONFIRMED, Status.FAILED]) == ["Nadia Brandt"]
    for text in ("müller", "MUELLER", "muller", "mue", "jörg weiss", "müller-weiß"):
        assert customers(kit, customer_words=prefix_query(text)) == ["Jörg Müller-Weiß"], text
    assert prefix_query("'") == ""
    assert customers(kit, **{NOTHING: True}) == []
    assert customers(kit, customer_words=prefix_query("brandt' OR 1=1")) == []
    assert customers(kit, customer_id=mueller.customer_id) == ["Jörg Müller-Weiß"]
    assert customers(kit, contract_number=brandt.contract_number) == ["Nadia Brandt"]
    assert customers(kit, contract_id=brandt.contract_id) == ["Nadia Brandt"]
    assert customers(kit, reference="pi_1") == ["Nadia Brandt"]
    assert customers(kit, reference="") == []
    assert len(customers(kit, amount=brandt.amount)) == 2
    assert customers(kit, amount=1) == []
    assert customers(kit, amount_min=1, amount_max=brandt.amount - 1) == []
    assert customers(kit, debit_from=date(2026, 12, 2)) == []
    assert len(customers(kit, debit_from=DUE, debit_to=DUE)) == 2
    at = datetime.fromisoformat("2026-12-01T00:00:00+00:00")
    assert customers(kit, confirmed_from=at) == ["Nadia Brandt"]
    assert customers(kit, confirmed_to=at) == []
    assert customers(kit, with_refund=True) == []
    brandt.refund(10_00)
    assert customers(kit, with_refund=True) == ["Nadia Brandt"]


def test_an_alphabet_knows_umlauts(kit: Kit) -> None:
    for name in ("Zoe", "Ärmel", "adam", "Öztürk", "Nowak"):
        Story(kit, name)
    assert customers(kit) == ["adam", "Ärmel", "Nowak", "Öztürk", "Zoe"]


def test_a_place_of_another_order_is_refused() -> None:
    place = Place(way=Way.AFTER, sort="amount", values=("Ada",), key="x", position=1)
    for order in (Order(sort="amount"), Order(sort="amount", down=True), Order(sort="debit")):
        with pytest.raises(ValueError):
            values_at(q.PAYMENTS, order, place)


def test_an_unknown_payment_is_none(kit: Kit) -> None:
    with kit.kontor.read() as connection:
        assert q.detail(connection, derive("pay", HOUSE, uuid4())) is None
