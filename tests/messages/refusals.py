"""One sample for each sentence with which the domain says no: what was so, what was asked, what a
person reads. The English stands here as it is shown, so that it is read when it changes."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from domain.invoices import commands as invoices
from domain.kernel.message import Command, Event
from domain.kernel.time import berlin
from domain.payments import commands as c
from domain.payments.events import Reason
from domain.work import commands as work
from domain.work.events import CaseType
from tests.domain import facts as f
from tests.domain.test_case import ACTS, BY_FACT, act, opened
from tests.domain.test_invoices import APPLY, RENDERED, after
from tests.domain.test_settlement import booked, following, match, statement
from tests.spec import World, make_id


class Sample(NamedTuple):
    past: list[Event]
    command: Command
    says: str


def then(past: list[Event], *commands: Command) -> list[Event]:
    world = World(past)
    for command in commands:
        world.send(command)
    return world.events


CONFIRMED = f.payment_until("confirmed")
OTHER_REFUND = make_id("rf", "other")
REDUCED = then(
    CONFIRMED,
    f.request(10_00, reason=Reason.PREMIUM_REDUCTION),
    f.of_refund(c.FailRefund),
)

SAMPLES = [
    # Contracts
    Sample([], f.sign(instalments_per_year=3), "A year has 1, 2, 4 or 12 instalments."),
    Sample([], f.sign(covers=()), "A contract needs at least one cover."),
    Sample([], f.bill(), "This contract does not exist."),
    Sample(
        then([], f.sign()),
        f.bill(date(2027, 1, 1)),
        "The instalment due on 2026-12-01 comes first.",
    ),
    # Receivables and documents
    Sample(
        f.invoiced(),
        invoices.ApplyReceipt(
            by="x", receivable_id=f.RECEIVABLE, payment_id=make_id("pay", 9), amount=1
        ),
        "This payment does not collect this receivable.",
    ),
    Sample(
        f.invoiced(),
        invoices.ApplyReceipt(
            by="x", receivable_id=f.RECEIVABLE, payment_id=f.PAYMENT, amount=12_51
        ),
        "12.51 EUR is more than the 12.50 EUR that are open.",
    ),
    Sample(then([], f.register()), f.issue_correction(), "There is no invoice to correct."),
    Sample(
        after(APPLY),
        f.issue_correction(12_51),
        "A correction cannot lower more than what is owed.",
    ),
    Sample([], RENDERED, "This document was not issued."),
    Sample(
        then(f.invoiced(), RENDERED),
        invoices.RecordRendered(by="worker", document_id=f.INVOICE, sha256="cd" * 32, size=1),
        "This document has a PDF already, with other content.",
    ),
    # Payments
    Sample([], f.announce(), "A payment is announced after it was scheduled."),
    Sample(
        f.payment_until("announced"),
        f.CONFIRM,
        "This payment was not sent yet; the provider's news does not fit.",
    ),
    Sample(
        [],
        f.CONFIRM,
        "We have no such payment; the provider's news does not fit anything.",
    ),
    Sample(
        then(f.payment_until("accepted"), f.FAIL),
        f.CONFIRM,
        "This payment failed; the provider's news does not fit.",
    ),
    Sample(
        CONFIRMED,
        f.FAIL,
        "This payment was collected already; the provider's news does not fit.",
    ),
    Sample(CONFIRMED, f.SETTLE, "This payment does not lie in that payout."),
    Sample(
        [],
        c.RevokeMandate(by="staff:mia", mandate_id=f.MANDATE),
        "This mandate does not exist.",
    ),
    # Asking for a refund
    Sample(CONFIRMED, f.request(0), "A refund has to be more than 0.00 EUR."),
    Sample([], f.request(1), "This payment does not exist."),
    Sample(
        then(f.payment_until("accepted"), f.FAIL),
        f.request(1),
        "This payment failed; no money came in that could be refunded.",
    ),
    Sample(
        then(CONFIRMED, f.give_back()),
        f.request(1),
        "The customer's bank returned this debit; the customer has the money back already.",
    ),
    Sample(
        f.payment_until("accepted"),
        f.request(1),
        "This payment is not confirmed yet; there is nothing to refund so far.",
    ),
    Sample(
        CONFIRMED,
        f.request(5_00, at=berlin(date(2026, 12, 8), 12)),
        "The customer's bank can return this debit until 2026-12-08 without being asked."
        " A refund is possible from 2026-12-09.",
    ),
    Sample(
        CONFIRMED,
        f.request(12_51),
        "12.51 EUR is more than the 12.50 EUR that are left of this payment.",
    ),
    Sample(
        REDUCED,
        f.request(2_51, refund_id=OTHER_REFUND, reason=Reason.PREMIUM_REDUCTION),
        "Premium reductions of one payment never exceed what was collected; 2.50 EUR are left."
        " To pay a failed one again choose overpayment: it makes no second document.",
    ),
    # Deciding on a refund
    Sample(
        f.waiting_refund(),
        f.approve(role="support"),
        "The role support does not decide on refunds.",
    ),
    Sample(
        f.waiting_refund(),
        f.approve(by="staff:mia"),
        "Someone else has to decide on a refund that you requested.",
    ),
    Sample(CONFIRMED, f.approve(), "This refund does not exist."),
    Sample(
        then(f.waiting_refund(), f.approve()),
        f.of_refund(c.RejectRefund, by="staff:jon"),
        "This refund cannot be decided on any more: its state is “approved”.",
    ),
    Sample(
        f.waiting_refund(),
        f.of_refund(c.WithdrawRefund, by="staff:jon"),
        "Only the person who requested a refund can withdraw it.",
    ),
    # Carrying it out
    Sample(
        f.refund_until("approved"),
        f.of_refund(c.ConfirmRefund),
        "This refund was not sent; the provider's news does not fit.",
    ),
    Sample(
        CONFIRMED,
        f.of_refund(c.ConfirmRefund),
        "We have no such refund; the provider's news does not fit anything.",
    ),
    Sample(
        then(f.refund_until("submitted"), f.of_refund(c.FailRefund, code="declined")),
        f.of_refund(c.ConfirmRefund),
        "This refund failed; the provider's news does not fit.",
    ),
    Sample(
        f.refund_until("confirmed"),
        f.of_refund(c.SettleRefund),
        "This refund does not lie in that payout.",
    ),
    # Payouts and statements
    Sample([], f.list_payout(12_16), "The items of payout po_1 do not add up to its net."),
    Sample(booked(12_15), match(12_16), "A bank line explains no more than its own amount."),
    Sample(
        booked(12_15),
        following(days=0),
        "The account is booked up to 2026-12-04. This statement begins on 2026-12-04: its lines"
        " would be booked twice.",
    ),
    Sample(
        booked(12_15),
        following(opening=0, closing=0),
        "This statement opens with 0.00 EUR, the one before closed with 1012.15 EUR: one between"
        " them is missing.",
    ),
    Sample(
        booked(12_15),
        statement(12_16, file_hash="cd" * 32),
        "Statement 2026-338 was imported already, with other content.",
    ),
    Sample(
        [],
        statement(12_15, closing=0),
        "The entries do not lead from the opening to the closing balance.",
    ),
    # Cases
    Sample([], ACTS["take"], "This case does not exist."),
    Sample(then(opened(), BY_FACT), ACTS["take"], "This case is closed already."),
    Sample(
        opened(),
        act(work.SnoozeCase, until=date(2026, 12, 9)),
        "A case is put off to a day that is still to come.",
    ),
    Sample(opened(), act(work.NoteCase, note=" "), "A note needs a text."),
    Sample(
        opened(case_type=CaseType.REFUND_APPROVAL),
        ACTS["close"],
        "This case closes when somebody approves or rejects the refund.",
    ),
    Sample(
        opened(),
        act(work.CloseCase, how="done"),
        "Closing a case by hand needs a remark that says why.",
    ),
]
