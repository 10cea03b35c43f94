"""The read model of refunds: who asked, who decided, what became of the money and which document
it made; a rebuilt model equals the live one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from config import Settings
from domain.dispatch import Dispatcher
from domain.kernel.ids import HOUSE, derive
from domain.payments import commands as pay
from domain.payments.events import Reason
from domain.payments.refund import Refund, Status
from domain.readmodels import payment_queries as q
from domain.readmodels.payments import MODEL as PAYMENTS
from domain.readmodels.refunds import MODEL, RefundRow
from domain.stream.database import Database
from tests.readmodels.kit import Kit, Story

PAYOUT = derive("po", HOUSE, "stripe", "trace-2")
MIA, JON = "staff:stf_mia", "staff:stf_jon"


@pytest.fixture
def kit(settings: Settings) -> Iterator[Kit]:
    database = Database(settings.database_url, settings.kek)
    yield Kit(Dispatcher(database), [PAYMENTS, MODEL])
    database.close()


@pytest.fixture
def story(kit: Kit) -> Story:
    told = Story(kit, covers=3)
    told.confirmed()
    return told


def row(kit: Kit, refund_id: str) -> RefundRow:
    with kit.kontor.read() as connection:
        found = q.refund(connection, refund_id)
    assert found is not None
    state = kit.kontor.state(refund_id)
    assert isinstance(state, Refund)
    assert found.refund.status is state.status
    assert found.refund.payment_id == found.payment.payment_id
    return found.refund


def test_below_the_limit_the_rule_approves(kit: Kit, story: Story) -> None:
    shown = row(kit, story.refund(49_90))
    assert shown.status is Status.APPROVED
    assert (shown.decided_by, shown.role, shown.needs_approval) == ("rule", "rule", False)
    assert shown.correction_number.startswith("KOR-")
    assert shown.note == "The bicycle was sold."
    assert shown.requested_by == MIA


def test_goodwill_makes_no_document(kit: Kit, story: Story) -> None:
    assert row(kit, story.refund(49_90, Reason.GOODWILL)).correction_id == ""


def test_the_whole_way_back(kit: Kit, story: Story) -> None:
    refund_id = story.refund(49_90)
    story.refund_confirmed(refund_id)
    assert row(kit, refund_id).reference == "re_1"
    both = {"refund_id": refund_id, "payment_id": story.payment_id, "payout_id": PAYOUT}
    kit.do(pay.MarkRefundPaidOut(by="flow:settling", reference="re_1", **both))
    kit.do(pay.SettleRefund(by="flow:settling", **both))
    kit.settle()
    shown = row(kit, refund_id)
    assert shown.status is Status.SETTLED
    assert None not in (shown.submitted_at, shown.confirmed_at, shown.paid_out_at)
    story.refund_failed(refund_id)
    late = row(kit, refund_id)
    assert (late.status, late.late, late.code) == (Status.FAILED, True, "account_closed")
    live, rebuilt = kit.rebuilt(MODEL)
    assert live == rebuilt


def test_a_second_person_decides(kit: Kit, story: Story) -> None:
    first, second, third = (story.refund(100_01, Reason.GOODWILL) for _ in range(3))
    shown = row(kit, first)
    assert (shown.status, shown.needs_approval) == (Status.REQUESTED, True)
    assert shown.expires_at == shown.requested_at + timedelta(days=14)
    kit.do(
        pay.ApproveRefund(by=JON, refund_id=first, payment_id=story.payment_id, role="operations")
    )
    kit.do(
        pay.RejectRefund(
            by=JON, refund_id=second, payment_id=story.payment_id, role="lead", remark="No bicycle."
        )
    )
    kit.do(pay.WithdrawRefund(by=MIA, refund_id=third, payment_id=story.payment_id))
    kit.settle()
    assert (row(kit, first).decided_by, row(kit, first).role) == (JON, "operations")
    assert (row(kit, second).status, row(kit, second).decided_by) == (Status.REJECTED, JON)
    assert row(kit, second).remark == "No bicycle."
    assert row(kit, third).status is Status.WITHDRAWN
    assert row(kit, third).ended_at is not None
    live, rebuilt = kit.rebuilt(MODEL)
    assert live == rebuilt


def test_an_unknown_refund_is_none(kit: Kit) -> None:
    with kit.kontor.read() as connection:
        assert q.refund(connection, derive("rf", HOUSE, 1)) is None
