"""Collecting: each event and exactly what the flow answers."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.contracts.events import InstalmentBilled
from domain.flows.collecting import BY, COLLECTING
from domain.flows.flow import Reaction
from domain.invoices import commands as invoices
from domain.kernel.ids import derive
from domain.kernel.lines import Line
from domain.kernel.message import Command, Effect, Event, Timer
from domain.payments import commands as c
from domain.payments import events as e
from domain.work.commands import CloseCase, OpenCase, case_id
from domain.work.events import CaseType
from tests.domain import facts as f
from tests.spec import World, make_id, reactions

RECOVERY = derive("rec", f.PAYMENT, f.PAYMENT)
RENDERED = invoices.RecordRendered(
    by="worker", at=f.REFUND_DAY, document_id=f.INVOICE, sha256="ab" * 32, size=9000
)


def answers(past: list[Event], *commands: Command) -> list[list[Reaction]]:
    """What the flow answers to each event that the commands add to the past."""
    world = World(past)
    before = len(world.events)
    for command in commands:
        world.send(command)
    ends = range(before + 1, len(world.events) + 1)
    return [reactions(COLLECTING, world.events[:end]) for end in ends]


def case(case_type: CaseType, until: date, amount: int, **details: str) -> OpenCase:
    return OpenCase(
        by=BY,
        case_id=case_id(case_type, f.PAYMENT),
        case_type=case_type,
        subject=f.PAYMENT,
        customer_id=f.CUSTOMER,
        amount=amount,
        until=until,
        details=details,
    )


def closing(case_type: CaseType) -> CloseCase:
    return CloseCase(by=BY, case_id=case_id(case_type, f.PAYMENT))


def bill_timer(due_at: datetime, due_on: str) -> Timer:
    return Timer(
        kind="bill_instalment", stream=f.CONTRACT, due_at=due_at, payload={"due_on": due_on}
    )


def test_a_contract_waits_for_its_first_instalment() -> None:
    """21 calendar days before 1 December, 06:00 Berlin."""
    timer = bill_timer(datetime(2026, 11, 10, 5, tzinfo=UTC), "2026-12-01")
    assert answers([], f.sign()) == [[timer]]


def test_an_instalment_asks_for_its_invoice_and_waits_for_the_next() -> None:
    world = World()
    world.send(f.sign())
    ((timer, command),) = answers(world.events, f.bill())
    (billed,) = world.send(f.bill())
    assert isinstance(billed, InstalmentBilled)
    assert timer == bill_timer(datetime(2026, 12, 11, 5, tzinfo=UTC), "2027-01-01")
    assert command == invoices.IssueInvoice(
        by=BY,
        receivable_id=billed.receivable_id,
        invoice_id=billed.invoice_id,
        payment_id=billed.payment_id,
        customer_id=f.CUSTOMER,
        contract_id=f.CONTRACT,
        contract_number="HR-2026-0001",
        product="Hausrat Komfort",
        mandate_id=f.MANDATE,
        lines=(Line(cover="Hausrat", net=1050, tax_rate_bp=1900, tax=200),),
        period_from=f.D,
        period_to=date(2026, 12, 31),
        due_on=f.D,
        debit_on=f.D,
        prenotification_days=14,
    )


def test_a_due_date_on_a_closing_day_is_debited_on_the_next_target_day() -> None:
    world = World()
    world.send(f.sign(first_due_on=date(2026, 12, 25)))
    ((_, command),) = answers(world.events, f.bill(date(2026, 12, 25)))
    assert isinstance(command, invoices.IssueInvoice)
    assert (command.due_on, command.debit_on) == (date(2026, 12, 25), date(2026, 12, 28))


def test_a_receivable_schedules_its_payment_and_an_invoice_its_pdf() -> None:
    world = World()
    world.send(f.register())
    world.send(f.register_mandate())
    command = f.issue_invoice()
    render = Effect(
        kind="render",
        queue="documents",
        stream=f.INVOICE,
        due_at=command.at,
        payload={"document_id": f.INVOICE},
    )
    assert answers(world.events, command) == [[f.schedule()], [], [render]]


def test_the_delivered_invoice_announces_the_debit() -> None:
    announced = c.AnnouncePayment(
        by=BY, payment_id=f.PAYMENT, delivered_on=date(2026, 12, 9), debit_on=f.D
    )
    assert answers(f.invoiced(), RENDERED) == [[], [announced]]


def test_a_delivered_correction_announces_nothing() -> None:
    world = World(f.invoiced())
    world.send(f.issue_correction())
    delivered = invoices.RecordRendered(
        by="worker", document_id=f.CORRECTION, sha256="ab" * 32, size=9000
    )
    assert answers(world.events, delivered) == [[], []]


def test_an_announced_payment_is_sent_on_the_debit_date() -> None:
    effect = Effect(
        kind="submit_payment",
        stream=f.PAYMENT,
        due_at=datetime(2026, 12, 1, 5, tzinfo=UTC),
        payload={"payment_id": f.PAYMENT, "mandate_id": f.MANDATE, "provider": "stripe"},
    )
    assert answers(f.payment_until("scheduled"), f.announce()) == [[effect]]


def test_confirmed_money_is_applied() -> None:
    applied = invoices.ApplyReceipt(
        by=BY, receivable_id=f.RECEIVABLE, payment_id=f.PAYMENT, amount=12_50
    )
    assert answers(f.payment_until("accepted"), f.CONFIRM) == [[applied]]


def test_an_answer_after_an_unknown_outcome_closes_its_case() -> None:
    world = World(f.payment_until("submitted"))
    world.send(f.LOSE)
    closed = closing(CaseType.OUTCOME_UNRESOLVED)
    assert answers(world.events, f.ACCEPT) == [[closed]]
    *_, failure = answers(world.events, f.FAIL)
    assert failure[-1] == closed


RELEASE = invoices.ReleaseCollection(by=BY, receivable_id=f.RECEIVABLE, payment_id=f.PAYMENT)


def test_a_failed_payment_frees_the_receivable_and_opens_a_case() -> None:
    failed = c.FailPayment(
        by="stripe", at=f.REFUND_DAY, payment_id=f.PAYMENT, code="AM04", raw_code="no_funds"
    )
    opened = case(
        CaseType.PAYMENT_FAILED, date(2026, 12, 14), 12_50, code="AM04", raw_code="no_funds"
    )
    assert answers(f.payment_until("accepted"), failed) == [[RELEASE, opened]]


def reversal(recovery: int) -> list[Reaction]:
    return [
        invoices.ReverseReceipt(
            by=BY, receivable_id=f.RECEIVABLE, payment_id=f.PAYMENT, amount=12_50
        ),
        case(
            CaseType.PAYMENT_RETURNED,
            date(2026, 12, 14),
            12_50,
            code="MD06",
            raw_code="customer_initiated",
        ),
        adjusted(recovery),
    ]


def adjusted(amount: int) -> c.AdjustRecovery:
    return c.AdjustRecovery(
        by=BY,
        recovery_id=RECOVERY,
        payment_id=f.PAYMENT,
        customer_id=f.CUSTOMER,
        amount=amount,
    )


def test_a_return_reverses_the_receipt() -> None:
    assert answers(f.payment_until("settled"), f.give_back()) == [reversal(0)]


@pytest.mark.parametrize("state", ["submitted", "confirmed", "settled"])
def test_what_was_refunded_before_the_return_is_a_recovery(state: str) -> None:
    assert answers(f.refund_until(state), f.give_back()) == [reversal(5_00)]


def test_a_return_fails_the_refunds_that_were_not_sent() -> None:
    failed = c.FailRefund(
        by=BY, refund_id=f.REFUND, payment_id=f.PAYMENT, code="debit-returned", raw_code=""
    )
    assert answers(f.refund_until("approved"), f.give_back()) == [reversal(0), [failed]]


@pytest.mark.parametrize("state", ["submitted", "confirmed"])
def test_a_refund_that_fails_after_the_return_lowers_the_recovery(state: str) -> None:
    world = World(f.refund_until(state))
    world.send(f.give_back())
    _, of_payment = answers(world.events, f.of_refund(c.FailRefund))
    assert of_payment == [adjusted(0)]


def test_without_a_return_there_is_nothing_to_recover() -> None:
    for state in ("submitted", "confirmed"):
        assert answers(f.refund_until(state), f.of_refund(c.FailRefund)) == [[], []]


def test_a_recovery_is_a_case_for_as_long_as_something_is_owed() -> None:
    at = f.REFUND_DAY
    opened = e.RecoveryOpened(
        at=at, recovery_id=RECOVERY, payment_id=f.PAYMENT, customer_id=f.CUSTOMER, amount=5_00
    )
    told = case(CaseType.RECOVERY, date(2026, 12, 14), 5_00, recovery_id=RECOVERY)
    assert reactions(COLLECTING, [opened]) == [told]
    for amount, answer in ((2_00, []), (0, [closing(CaseType.RECOVERY)])):
        event = e.RecoveryAdjusted(at=at, recovery_id=RECOVERY, payment_id=f.PAYMENT, amount=amount)
        assert reactions(COLLECTING, [opened, event]) == answer


@pytest.mark.parametrize(
    ("past", "command"),
    [
        (f.payment_until("announced"), f.submit()),
        (f.payment_until("submitted"), f.ACCEPT),
        (f.payment_until("submitted"), f.LOSE),
        (f.payment_until("confirmed"), f.PAY_OUT),
        (f.payment_until("paid-out"), f.SETTLE),
        ([], f.register()),
        ([], f.schedule(payment_id=make_id("pay", "other"))),
    ],
)
def test_these_facts_need_no_answer(past: list[Event], command: Command) -> None:
    assert answers(past, command) == [[]]
