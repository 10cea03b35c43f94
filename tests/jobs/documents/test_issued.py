"""The event that issued a document and its PDF tell the same."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from config import HAFENLICHT
from domain.invoices.events import CorrectionIssued, InvoiceIssued
from domain.kernel.lines import Line
from jobs.documents.render import render
from jobs.handlers.documents import content_of
from tests.jobs.documents.samples import text

COMMON: dict[str, Any] = {
    "at": datetime(2026, 12, 4, 5, tzinfo=UTC),
    "document_id": "inv_1",
    "issued_on": date(2026, 12, 4),
    "customer_id": "cus_1",
    "customer_number": "K-448812",
    "contract_number": "HR-2026-100017",
    "product": "Hausrat Komfort",
    "period_from": date(2026, 12, 1),
    "period_to": date(2026, 12, 31),
    "receivable_id": "rcv_1",
    "recipient": "Nadia Brandt",
    "address": ("Größenstraße 7", "80331 München"),
    "iban": "DE89370400440532013000",
    "content_hash": "",
}


def billed(**changes: Any) -> InvoiceIssued:
    fields: dict[str, Any] = {
        **COMMON,
        "number": "B2C-2026-000123",
        "contract_id": "ct_1",
        "payment_id": "pay_1",
        "due_on": date(2026, 12, 25),
        "debit_on": date(2026, 12, 28),
        "mandate_reference": "HL-2026-000017",
        "creditor_id": "DE98ZZZ09999999999",
        "lines": (
            Line(cover="Hausrat", net=1050, tax_rate_bp=1900, tax=200),
            Line(cover="Glasbruch", net=300, tax_rate_bp=1900, tax=57),
        ),
        "amount": 1607,
    }
    return InvoiceIssued(**(fields | changes))


def corrected(**changes: Any) -> CorrectionIssued:
    fields: dict[str, Any] = {
        **COMMON,
        "number": "KOR-2026-000001",
        "invoice_id": "inv_0",
        "invoice_number": "B2C-2026-000123",
        "invoice_issued_on": date(2026, 12, 4),
        "refund_id": "rf_1",
        "lines": (
            Line(cover="Hausrat", net=420, tax_rate_bp=1900, tax=80),
            Line(cover="Glasbruch", net=0, tax_rate_bp=1900, tax=0),
        ),
        "amount": 500,
    }
    return CorrectionIssued(**(fields | changes))


def said(issued: InvoiceIssued | CorrectionIssued) -> str:
    kind, content = content_of(issued, HAFENLICHT.insurance_tax_number)
    return text(render(kind, content, HAFENLICHT))


def test_an_invoice_shows_its_event() -> None:
    shown = said(billed())
    assert "Rechnungsbetrag 16,07 €" in shown
    assert "Versicherungsteuer 19 % auf 13,50 € 2,57 €" in shown
    assert "Kundennummer K-448812" in shown
    assert "Endziffern 3000" in shown
    assert "DE8937" not in shown
    assert "0532013000" not in shown


def test_a_correction_turns_the_sign_and_leaves_out_what_it_does_not_touch() -> None:
    shown = said(corrected())
    assert "Hausrat −4,20 € 19 % −0,80 € −5,00 €" in shown
    assert "Berichtigungsbetrag −5,00 €" in shown
    assert "Glasbruch" not in shown
