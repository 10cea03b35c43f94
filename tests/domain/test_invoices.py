"""Receivables and documents: what is owed, what was received, what an invoice and a correction
say, and that nothing issued ever changes."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.invoices import commands as c
from domain.invoices import events as e
from domain.invoices.document import content_hash
from domain.invoices.receivable import Receivable
from domain.kernel.lines import Line
from domain.kernel.message import Event
from tests.domain import facts as f
from tests.spec import World, given, make_id

BY = {"by": "flow:collecting", "receivable_id": f.RECEIVABLE}
APPLY = c.ApplyReceipt(**BY, payment_id=f.PAYMENT, amount=12_50)
REVERSE = c.ReverseReceipt(**BY, payment_id=f.PAYMENT, amount=12_50)
RELEASE = c.ReleaseCollection(**BY, payment_id=f.PAYMENT)
TAKE_OFF = c.RefundReceipt(**BY, payment_id=f.PAYMENT, refund_id=f.REFUND, amount=5_00)
RESTORE = c.RestoreReceipt(**BY, payment_id=f.PAYMENT, refund_id=f.REFUND, amount=5_00)
RENDERED = c.RecordRendered(
    by="worker", at=f.REFUND_DAY, document_id=f.INVOICE, sha256="ab" * 32, size=9000
)


def after(*commands: c.ReceivableCommand | c.IssueCorrection) -> list[Event]:
    world = World(f.invoiced())
    for command in commands:
        world.send(command)
    return world.events


def receivable(past: list[Event]) -> Receivable:
    state = World(past).state(f.RECEIVABLE)
    assert isinstance(state, Receivable)
    return state


def money(*commands: c.ReceivableCommand | c.IssueCorrection) -> tuple[int, int, int]:
    """Owed, applied, open."""
    state = receivable(after(*commands))
    return state.owed, state.applied, state.open


def test_one_decision_raises_reserves_and_issues() -> None:
    world = World()
    world.send(f.register())
    world.send(f.register_mandate())
    raised, reserved, issued = (
        given(world.events)
        .when(f.issue_invoice())
        .records(e.ReceivableRaised, e.CollectionReserved, e.InvoiceIssued)
    )
    assert isinstance(raised, e.ReceivableRaised)
    assert isinstance(reserved, e.CollectionReserved)
    assert isinstance(issued, e.InvoiceIssued)
    assert (raised.amount, issued.amount, reserved.payment_id) == (12_50, 12_50, f.PAYMENT)
    assert (issued.number, issued.issued_on) == ("B2C-2026-000001", date(2026, 11, 10))
    assert (issued.recipient, issued.address) == ("Antje Brandt", ("Fischmarkt 3", "22767 Hamburg"))
    assert (issued.mandate_reference, issued.creditor_id) == ("HL-M-1001", "DE98ZZZ09999999999")
    assert issued.iban == "DE89370400440532013000"


def test_the_series_is_of_the_berlin_year() -> None:
    for hour, year in ((22, 2026), (23, 2027)):
        at = datetime(2026, 12, 31, hour, tzinfo=UTC)
        assert f.issue_invoice(at=at).series() == (f"B2C-{year}",)
        assert f.issue_correction(at=at).series() == (f"KOR-{year}",)


def test_an_invoice_is_issued_once_and_its_hash_covers_the_content() -> None:
    past = f.invoiced()
    given(past).when(f.issue_invoice(product="another")).nothing()
    (issued,) = f.only(past, e.InvoiceIssued)
    (other,) = f.only(f.invoiced(f.BIG), e.InvoiceIssued)
    assert isinstance(issued, e.InvoiceIssued)
    assert isinstance(other, e.InvoiceIssued)
    assert issued.content_hash == content_hash(issued)
    assert issued.content_hash != other.content_hash


def test_a_receipt_is_applied_once() -> None:
    (event,) = given(f.invoiced()).when(APPLY).records(e.ReceiptApplied)
    assert isinstance(event, e.ReceiptApplied)
    assert money() == (12_50, 0, 12_50)
    assert money(APPLY) == (12_50, 12_50, 0)


def test_a_receipt_beyond_what_is_open_or_of_another_payment() -> None:
    more = c.ApplyReceipt(**BY, payment_id=f.PAYMENT, amount=12_51)
    given(f.invoiced()).when(more).refused("12.51 EUR is more than the 12.50 EUR that are open")
    other = c.ApplyReceipt(**BY, payment_id=make_id("pay", "other"), amount=1)
    given(f.invoiced()).when(other).refused("does not collect this receivable")


def test_a_return_opens_the_receivable_again() -> None:
    past = after(APPLY)
    given(past).when(REVERSE).records(e.ReceiptReversed, e.CollectionReleased)
    assert money(APPLY, REVERSE) == (12_50, 0, 12_50)
    assert receivable(after(APPLY, REVERSE)).collecting is None


def test_a_failed_payment_only_frees_the_collection() -> None:
    given(f.invoiced()).when(RELEASE).records(e.CollectionReleased)
    given(f.invoiced()).when(REVERSE).records(e.CollectionReleased)
    other = c.ReleaseCollection(**BY, payment_id=make_id("pay", "other"))
    given(f.invoiced()).when(other).nothing()


def test_a_premium_reduction_lowers_owed_and_applied() -> None:
    correction = f.issue_correction()
    assert money(APPLY, correction) == (7_50, 12_50, -5_00)
    assert money(APPLY, correction, TAKE_OFF) == (7_50, 7_50, 0)
    assert money(APPLY, correction, TAKE_OFF, RESTORE) == (7_50, 12_50, -5_00)
    given(after(APPLY, correction, TAKE_OFF)).when(TAKE_OFF).nothing()
    given(after(APPLY, correction, TAKE_OFF, RESTORE)).when(RESTORE).nothing()
    given(after(APPLY, correction)).when(RESTORE).nothing()


def test_a_reduction_may_come_before_the_receipt() -> None:
    """The reader that applies receipts may lag behind the one that issues corrections."""
    correction = f.issue_correction()
    assert money(correction, APPLY) == money(APPLY, correction) == (7_50, 12_50, -5_00)
    for early in ((correction, APPLY, TAKE_OFF), (correction, TAKE_OFF, APPLY)):
        assert money(*early) == (7_50, 7_50, 0)


def test_a_return_after_a_reduction_reverses_what_is_applied() -> None:
    """STORY 10: min(applied, returned); the rest left us twice and is a recovery."""
    past = after(APPLY, f.issue_correction(), TAKE_OFF)
    reversed_, _ = given(past).when(REVERSE).records(e.ReceiptReversed, e.CollectionReleased)
    assert isinstance(reversed_, e.ReceiptReversed)
    assert reversed_.amount == 7_50


@pytest.mark.parametrize(
    "order",
    [
        (TAKE_OFF, REVERSE),
        (REVERSE, TAKE_OFF),
        (TAKE_OFF, REVERSE, RESTORE),
        (REVERSE, TAKE_OFF, RESTORE),
        (TAKE_OFF, RESTORE, REVERSE),
    ],
)
@pytest.mark.parametrize("amount", [5_00, 12_50])
def test_return_and_refund_in_any_order(
    order: tuple[c.ReceivableCommand, ...], amount: int
) -> None:
    """The debit came back whole, so nothing is applied any more, whatever became of the refund."""
    commands = []
    for command in order:
        if isinstance(command, c.RefundReceipt | c.RestoreReceipt):
            command = type(command)(**BY, payment_id=f.PAYMENT, refund_id=f.REFUND, amount=amount)
        commands.append(command)
    owed = 12_50 - amount
    assert money(APPLY, f.issue_correction(amount), *commands) == (owed, 0, owed)


def test_a_correction_has_its_own_number_and_refers_to_the_invoice() -> None:
    issued, reduced = (
        given(after(APPLY))
        .when(f.issue_correction())
        .records(e.CorrectionIssued, e.ReceivableReduced)
    )
    assert isinstance(issued, e.CorrectionIssued)
    assert isinstance(reduced, e.ReceivableReduced)
    assert (issued.number, issued.invoice_number) == ("KOR-2026-000001", "B2C-2026-000001")
    assert issued.lines == (Line(cover="Hausrat", net=420, tax_rate_bp=1900, tax=80),)
    assert reduced.lines == issued.lines
    assert issued.content_hash == content_hash(issued)


def test_corrections_never_lower_more_than_is_owed() -> None:
    past = after(APPLY, f.issue_correction(10_00))
    second = f.issue_correction(2_51, correction_id=make_id("inv", "second"))
    given(past).when(second).refused("cannot lower more than what is owed")
    given(past).when(f.issue_correction(0, correction_id=make_id("inv", 0))).refused("cannot lower")
    rest = f.issue_correction(2_50, correction_id=make_id("inv", "second"))
    given(past).when(rest).records(e.CorrectionIssued, e.ReceivableReduced)


def test_a_correction_needs_an_invoice() -> None:
    world = World()
    world.send(f.register())
    given(world.events).when(f.issue_correction()).refused("no invoice to correct")


def test_a_document_gets_one_pdf_and_is_delivered_with_it() -> None:
    rendered, delivered = (
        given(f.invoiced()).when(RENDERED).records(e.DocumentRendered, e.DocumentDelivered)
    )
    assert isinstance(rendered, e.DocumentRendered)
    assert isinstance(delivered, e.DocumentDelivered)
    assert (rendered.sha256, delivered.channel) == ("ab" * 32, "portal")
    assert delivered.delivered_on == date(2026, 12, 9)


def test_other_bytes_are_another_document() -> None:
    world = World(f.invoiced())
    world.send(RENDERED)
    other = c.RecordRendered(by="worker", document_id=f.INVOICE, sha256="cd" * 32, size=1)
    given(world.events).when(other).refused("has a PDF already, with other content")
    given([]).when(RENDERED).refused("was not issued")
