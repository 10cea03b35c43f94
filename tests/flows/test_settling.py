"""Settling: each event and exactly what the flow answers."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.flows.flow import Reaction
from domain.flows.settling import BY, SETTLING
from domain.kernel.ids import HOUSE, derive
from domain.kernel.message import Event, Timer
from domain.kernel.time import berlin
from domain.payments import commands as c
from domain.payments import settlement_events as e
from domain.payments.settlement_commands import MatchLine, payout_id
from domain.work.commands import CloseCase, OpenCase, case_id
from domain.work.events import CaseType
from tests.domain import facts as f
from tests.spec import reactions

AT = berlin(date(2026, 12, 3), 18)
PAYOUT = payout_id("stripe", "TRACE1")
LINE = derive("ln", HOUSE, "line", 1)
REFUNDED = f.item(e.ItemKind.REFUND, -5_00, reference="re_1")
FOREIGN = f.item(e.ItemKind.REFUND, -1_00, payment_id=None, refund_id=None, reference="re_foreign")
UNKNOWN = f.item(e.ItemKind.PAYMENT, 2_00, payment_id=None)
RETURNED = f.item(e.ItemKind.RETURN, -12_50)
FAILED = f.item(e.ItemKind.REFUND_FAILURE, 5_00, refund_id=f.REFUND)
OTHER = f.item(e.ItemKind.OTHER, -10)
ITEMS = (f.item(e.ItemKind.PAYMENT, 12_50), REFUNDED, FOREIGN, UNKNOWN, RETURNED, FAILED, OTHER)
REVIEW = Timer(kind="review_payout", stream=PAYOUT, due_at=datetime(2026, 12, 8, 11, tzinfo=UTC))
FOUND = CloseCase(by=BY, case_id=case_id(CaseType.PAYOUT_MISSING, PAYOUT))


def listed(*items: e.PayoutItem) -> e.PayoutListed:
    return e.PayoutListed(
        at=AT,
        payout_id=PAYOUT,
        provider="stripe",
        provider_payout="po_1",
        reference="TRACE1",
        net=1,
        items=items,
    )


ARRIVED = e.PayoutArrived(at=AT, payout_id=PAYOUT, line_id=LINE, amount=1)
SETTLED = e.PayoutSettled(at=AT, payout_id=PAYOUT)


def case(case_type: CaseType, subject: str, amount: int, until: date, **details: str) -> OpenCase:
    occasion = details.get("reference", "")
    return OpenCase(
        by=BY,
        case_id=case_id(case_type, subject, occasion),
        case_type=case_type,
        subject=subject,
        amount=amount,
        until=until,
        details=details,
    )


def test_a_listed_payout_marks_its_items_and_waits_for_the_bank() -> None:
    """Three TARGET days after 3 December 2026 is the 8th, noon in Berlin."""
    assert reactions(SETTLING, [listed(*ITEMS)]) == [
        REVIEW,
        c.MarkPaymentPaidOut(
            by=BY, payment_id=f.PAYMENT, reference="pi_1", payout_id=PAYOUT, fee=35
        ),
        c.MarkRefundPaidOut(
            by=BY, refund_id=f.REFUND, payment_id=f.PAYMENT, reference="re_1", payout_id=PAYOUT
        ),
        case(CaseType.FOREIGN_REFUND, PAYOUT, 1_00, date(2026, 12, 8), reference="re_foreign"),
    ]


def test_listed_after_it_arrived_nothing_waits() -> None:
    answer = reactions(SETTLING, [ARRIVED, listed()])
    assert answer == []


def test_arrived_first_it_waits_for_the_provider() -> None:
    assert reactions(SETTLING, [ARRIVED]) == [REVIEW]
    assert reactions(SETTLING, [listed(), ARRIVED]) == []


def test_a_settled_payout_settles_what_lies_in_it() -> None:
    assert reactions(SETTLING, [listed(*ITEMS), ARRIVED, SETTLED]) == [
        FOUND,
        c.SettlePayment(by=BY, payment_id=f.PAYMENT, payout_id=PAYOUT),
        c.SettleRefund(by=BY, refund_id=f.REFUND, payment_id=f.PAYMENT, payout_id=PAYOUT),
    ]


def test_a_difference_settles_nothing_and_is_a_case() -> None:
    differs = e.PayoutDiffers(at=AT, payout_id=PAYOUT, listed=12_15, arrived=12_00)
    told = case(
        CaseType.PAYOUT_DIFFERS, PAYOUT, 15, date(2026, 12, 8), listed="1215", arrived="1200"
    )
    assert reactions(SETTLING, [listed(*ITEMS), ARRIVED, differs]) == [FOUND, told]


def booked(amount: int, counterparty: str | None, end_to_end_id: str | None) -> Event:
    return e.LineBooked(
        at=AT,
        line_id=LINE,
        statement_id=derive("st", HOUSE, "statement"),
        number=1,
        amount=amount,
        booked_on=date(2026, 12, 4),
        value_on=date(2026, 12, 4),
        end_to_end_id=end_to_end_id,
        bank_reference=None,
        counterparty=counterparty,
        remittance=None,
    )


MATCH = MatchLine(by=BY, line_id=LINE, provider="stripe", reference="TRACE1", amount=12_15)


def unknown(amount: int) -> OpenCase:
    return case(CaseType.UNKNOWN_LINE, LINE, amount, date(2026, 12, 8))


@pytest.mark.parametrize(
    ("amount", "counterparty", "end_to_end_id", "answer"),
    [
        (12_15, "Stripe Payments Europe", "TRACE1", MATCH),
        (12_15, "Stripe Payments Europe", None, unknown(12_15)),
        (12_15, "Antje Brandt", "TRACE1", unknown(12_15)),
        (12_15, None, "TRACE1", unknown(12_15)),
        (-12_15, "Stripe Payments Europe", "TRACE1", unknown(12_15)),
    ],
)
def test_a_line_is_matched_or_a_case(
    amount: int, counterparty: str | None, end_to_end_id: str | None, answer: Reaction
) -> None:
    assert reactions(SETTLING, [booked(amount, counterparty, end_to_end_id)]) == [answer]


def test_a_second_line_of_one_payout_is_a_case_that_a_person_closes() -> None:
    repeated = e.LineRepeated(at=AT, line_id=LINE, payout_id=PAYOUT, amount=12_15)
    told = case(CaseType.UNKNOWN_LINE, LINE, 12_15, date(2026, 12, 8), payout_id=PAYOUT)
    assert reactions(SETTLING, [booked(12_15, "Stripe", "TRACE1"), repeated]) == [told]


def test_a_line_that_was_used_needs_no_answer() -> None:
    used = e.LineReserved(at=AT, line_id=LINE, payout_id=PAYOUT, amount=12_15)
    assert reactions(SETTLING, [booked(12_15, "Stripe", "TRACE1"), used]) == []
