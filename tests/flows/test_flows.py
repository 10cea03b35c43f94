"""What holds for every flow: ids that replay, timers that become commands, effects that somebody
carries out, and the whole story told by the flows alone."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from domain.contracts.commands import BillInstalment
from domain.flows.timers import TIMERS
from domain.invoices.commands import RecordRendered
from domain.invoices.receivable import Receivable
from domain.kernel.message import Command
from domain.kernel.time import berlin
from domain.payments import commands as c
from domain.payments.events import Reason
from domain.payments.payment import Payment, Status
from domain.payments.refund import Refund
from domain.payments.refund import Status as RefundStatus
from domain.payments.settlement_events import ItemKind
from domain.registry import FLOWS, THINGS
from domain.work.commands import OpenCaseWhileWaiting, case_id
from domain.work.events import CaseType
from jobs.effects import HANDLERS
from tests.domain import facts as f
from tests.flows.story import Story

EVENT = "7d444840-9dc0-51d1-b245-5ffdce74fad2"


def test_command_ids_are_the_same_at_every_replay() -> None:
    ids = [flow.command_id(EVENT, n) for flow in FLOWS for n in range(5)]
    assert ids == [flow.command_id(EVENT, n) for flow in FLOWS for n in range(5)]
    others = [flow.command_id(EVENT[:-1] + "3", n) for flow in FLOWS for n in range(5)]
    assert len({*ids, *others}) == 10 * len(FLOWS)


def test_command_ids_are_frozen() -> None:
    """Another id would send every command of the past once more."""
    assert [str(flow.command_id(EVENT, 0)) for flow in FLOWS] == [
        "9df010a3-409d-5179-acb0-03a37f891f76",
        "ee4833a3-7a61-539d-b150-face87936b71",
        "ad4582db-e8cc-503d-9329-cbc07442cf59",
        "a5e3dbbc-91ce-5634-b979-e2c61c6af778",
    ]


def test_flows_watch_streams_that_exist() -> None:
    assert {prefix for flow in FLOWS for prefix in flow.watches} <= set(THINGS)
    assert len({flow.name for flow in FLOWS}) == len(FLOWS)


@pytest.mark.parametrize(
    ("kind", "stream", "payload", "command"),
    [
        (
            "bill_instalment",
            f.CONTRACT,
            {"due_on": "2026-12-01"},
            BillInstalment(by="timer", contract_id=f.CONTRACT, due_on=f.D),
        ),
        (
            "expire_refund",
            f.REFUND,
            {"payment_id": f.PAYMENT},
            c.ExpireRefund(by="timer", refund_id=f.REFUND, payment_id=f.PAYMENT),
        ),
        (
            "review_payout",
            f.PAYOUT,
            {},
            OpenCaseWhileWaiting(
                by="timer",
                case_id=case_id(CaseType.PAYOUT_MISSING, f.PAYOUT),
                case_type=CaseType.PAYOUT_MISSING,
                subject=f.PAYOUT,
            ),
        ),
    ],
)
def test_a_timer_becomes_its_command(
    kind: str, stream: str, payload: dict[str, str], command: Command
) -> None:
    assert TIMERS[kind](stream, {**payload, "cause": EVENT}) == command


def test_every_timer_has_a_test_above() -> None:
    assert set(TIMERS) == {"bill_instalment", "expire_refund", "review_payout"}


def due(story: Story, kind: str) -> Command:
    """The next timer of that kind, come due."""
    timer = story.timer(kind)
    story.at = timer.due_at
    return TIMERS[kind](timer.stream, timer.payload)


def until(story: Story, day: date, hour: int = 10) -> datetime:
    story.at = berlin(day, hour)
    return story.at


def test_the_flows_tell_the_story() -> None:
    """From the signature to settled money and a corrected premium; workers and the provider are
    the only others who say anything."""
    story = Story(berlin(date(2026, 10, 20), 9))
    story.do(f.register(), f.register_mandate(), f.sign())
    story.do(due(story, "bill_instalment"))
    invoice = story.effect("render").payload["document_id"]
    story.do(RecordRendered(by="worker", document_id=invoice, sha256="ab" * 32, size=1))
    payload = story.effect("submit_payment").payload
    pay, mandate = payload["payment_id"], payload["mandate_id"]
    until(story, date(2026, 12, 1), 6)
    story.do(
        c.SubmitPayment(by="worker", payment_id=pay, mandate_id=mandate, key="k"),
        c.ConfirmPayment(by="stripe", payment_id=pay, reference="pi_1"),
    )
    until(story, date(2026, 12, 9))
    wish = f.request(5_00, payment_id=pay, reason=Reason.PREMIUM_REDUCTION)
    story.do(wish)
    assert story.effect("submit_refund").payload["refund_id"] == f.REFUND
    correction = story.effect("render").payload["document_id"]
    story.do(RecordRendered(by="worker", document_id=correction, sha256="cd" * 32, size=1))
    both = {"refund_id": f.REFUND, "payment_id": pay}
    story.do(
        c.SubmitRefund(by="worker", **both, key="k"),
        c.ConfirmRefund(by="stripe", **both, reference="re_1"),
    )
    settle(story, pay)

    payment, refund = story.world.state(pay), story.world.state(f.REFUND)
    assert isinstance(payment, Payment)
    assert isinstance(refund, Refund)
    assert (payment.status, refund.status) == (Status.SETTLED, RefundStatus.SETTLED)
    assert payment.scheduled is not None
    receivable = story.world.state(payment.scheduled.receivable_id)
    assert isinstance(receivable, Receivable)
    assert (receivable.owed, receivable.applied, receivable.open) == (7_50, 7_50, 0)
    assert story.effects == []
    assert [timer.kind for timer in story.timers] == ["bill_instalment", "review_payout"]
    assert story.do(due(story, "review_payout")) == []


def settle(story: Story, payment_id: str) -> None:
    """The payout is listed; the statement with its line follows."""
    paid = f.item(ItemKind.PAYMENT, 12_50, payment_id=payment_id)
    refunded = f.item(ItemKind.REFUND, -5_00, payment_id=payment_id, reference="re_1")
    story.do(f.list_payout(7_15, items=(paid, refunded)))
    story.do(f.statement(f.entry(7_15)))


def test_everything_a_flow_sent_decides_nothing_when_sent_again() -> None:
    """A replay after a lost cursor: command ids stop it before; the decisions would, too."""
    story = Story(berlin(date(2026, 10, 20), 9))
    story.do(f.register(), f.register_mandate(), f.sign())
    story.do(due(story, "bill_instalment"))
    by_flows = [command for command in story.sent if command.by.startswith("flow:")]
    assert by_flows
    assert [story.world.decide(command) for command in by_flows] == [[] for _ in by_flows]


def test_every_effect_has_a_handler() -> None:
    assert {"render", "submit_payment", "submit_refund"} <= set(HANDLERS)
