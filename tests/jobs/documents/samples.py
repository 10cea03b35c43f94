"""Contents to render, and what a rendered document says. No test lives here."""

from __future__ import annotations

from datetime import date
from typing import Any

import pypdfium2

from config import HAFENLICHT
from domain.kernel.money import Cents
from jobs.documents.content import Content, CorrectionContent, InvoiceContent, Line

HOUSEHOLD = Line(cover="Hausrat", net=1050, tax_rate_bp=1615, tax=170, gross=1220)
GLASS = Line(cover="Glasbruch", net=300, tax_rate_bp=1900, tax=57, gross=357)
LIFE = Line(
    cover="Risikoleben",
    net=500,
    tax_rate_bp=0,
    tax=0,
    gross=500,
    tax_exemption="§ 4 Nr. 5 VersStG",
)


def invoice(*lines: Line, **changes: Any) -> InvoiceContent:
    lines = lines or (HOUSEHOLD, GLASS)
    fields: dict[str, Any] = {
        **_common(lines),
        "number": "B2C-2026-000123",
        "issued_on": date(2026, 12, 4),
        "due_on": date(2026, 12, 25),
        "debit_on": date(2026, 12, 28),
        "mandate_reference": "HL-2026-000017",
        "creditor_id": HAFENLICHT.creditor_id,
    }
    return InvoiceContent(**(fields | changes))


def correction(**changes: Any) -> CorrectionContent:
    fields: dict[str, Any] = {
        **_common((Line(cover="Hausrat", net=-420, tax_rate_bp=1900, tax=-80, gross=-500),)),
        "number": "KOR-2026-000001",
        "issued_on": date(2026, 12, 9),
        "invoice_number": "B2C-2026-000123",
        "invoice_issued_on": date(2026, 11, 10),
        "reason": "Ihr Beitrag sinkt, weil die Wohnfläche kleiner ist als angegeben.",
    }
    return CorrectionContent(**(fields | changes))


def _common(lines: tuple[Line, ...]) -> dict[str, Any]:
    return {
        "recipient_name": "Nadia Brandt",
        "recipient_address": ("Größenstraße 7", "80331 München"),
        "customer_number": "K-448812",
        "contract_number": "HR-2026-100017",
        "product_name": "Hausrat Komfort",
        "period_from": date(2026, 12, 1),
        "period_to": date(2026, 12, 31),
        "lines": lines,
        **totals(lines),
        "iban_last4": "3000",
        "insurance_tax_number": HAFENLICHT.insurance_tax_number,
    }


def totals(lines: tuple[Line, ...]) -> dict[str, Cents]:
    return {
        "total_net": sum(line.net for line in lines),
        "total_tax": sum(line.tax for line in lines),
        "total_gross": sum(line.gross for line in lines),
    }


def kind_of(content: Content) -> str:
    return "invoice" if isinstance(content, InvoiceContent) else "correction"


def pages(pdf: bytes) -> list[str]:
    """The text of each page, its white space made single blanks."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        texts = [page.get_textpage().get_text_bounded() for page in document]
    finally:
        document.close()
    return [" ".join(text.replace("\xa0", " ").split()) for text in texts]


def text(pdf: bytes) -> str:
    return " ".join(pages(pdf))
