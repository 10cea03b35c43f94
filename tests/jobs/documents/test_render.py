"""A document says what the law wants it to say, the same bytes every time."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date

import pikepdf
import pytest

from config import HAFENLICHT
from jobs.documents.content import Content, Line
from jobs.documents.render import euro, iban_groups, percent, render
from tests.jobs.documents.samples import (
    GLASS,
    HOUSEHOLD,
    LIFE,
    correction,
    invoice,
    kind_of,
    pages,
    text,
)

BOTH = pytest.mark.parametrize("content", [invoice(), correction()], ids=kind_of)


def pdf_of(content: Content) -> bytes:
    return render(kind_of(content), content, HAFENLICHT)


@pytest.mark.parametrize(
    "said",
    [
        "Beitragsrechnung B2C-2026-000123",
        "Rechnungsdatum 04.12.2026",
        "Nadia Brandt Größenstraße 7 80331 München",
        "Kundennummer K-448812",
        "Vertrag HR-2026-100017",
        "Versicherungszeitraum 01.12.2026 bis 31.12.2026",
        "Er ist am 25.12.2026 fällig.",
        "Hausrat 10,50 € 16,15 % 1,70 € 12,20 €",
        "Glasbruch 3,00 € 19 % 0,57 € 3,57 €",
        "Versicherungsteuer 16,15 % auf 10,50 € 1,70 €",
        "Versicherungsteuer 19 % auf 3,00 € 0,57 €",
        "Rechnungsbetrag 15,77 €",
        "Versicherungsteuernummer 807/V90807009999",
        "umsatzsteuerfrei nach § 4 Nr. 10 a UStG",
        "Wir ziehen 15,77 € am Montag, 28.12.2026",
        "Konto mit den Endziffern 3000",
        "Mandatsreferenz HL-2026-000017",
        "Gläubiger-Identifikationsnummer DE98ZZZ09999999999",
        "Hafenlicht Versicherung AG · Am Sandtorkai 12 · 20457 Hamburg",
        "Seite 1 von 1",
    ],
)
def test_an_invoice_says(said: str, invoice_text: str) -> None:
    assert said in invoice_text


@pytest.mark.parametrize(
    "said",
    [
        "Berichtigung zur Rechnung B2C-2026-000123",
        "Berichtigungsnummer KOR-2026-000001",
        "unsere Beitragsrechnung B2C-2026-000123 vom 10.11.2026",
        "Grund: Ihr Beitrag sinkt, weil die Wohnfläche kleiner ist als angegeben.",
        "Hausrat −4,20 € 19 % −0,80 € −5,00 €",
        "Versicherungsteuer 19 % auf −4,20 € −0,80 €",
        "Berichtigungsbetrag −5,00 €",
        "Wir zahlen Ihnen 5,00 € auf das Konto mit den Endziffern 3000",
        "umsatzsteuerfrei nach § 4 Nr. 10 a UStG",
        "Versicherungsteuernummer 807/V90807009999",
    ],
)
def test_a_correction_says(said: str, correction_text: str) -> None:
    assert said in correction_text


@pytest.fixture(scope="module")
def invoice_text() -> str:
    return text(pdf_of(invoice()))


@pytest.fixture(scope="module")
def correction_text() -> str:
    return text(pdf_of(correction()))


@BOTH
def test_no_document_shows_vat_or_a_credit_note(content: Content) -> None:
    said = text(pdf_of(content)).lower()
    assert said.count("umsatzsteuer") == said.count("umsatzsteuerfrei nach § 4 nr. 10 a ustg") == 1
    for word in ("mwst", "mehrwertsteuer", "ust-id", "gutschrift", "credit"):
        assert word not in said


def test_an_exempt_cover_names_the_provision_and_no_tax() -> None:
    said = text(pdf_of(invoice(LIFE)))
    assert "Risikoleben steuerfrei nach § 4 Nr. 5 VersStG" in said
    assert "Versicherungsteuer 0 %" not in said
    assert "Rechnungsbetrag 5,00 €" in said


@pytest.mark.parametrize(
    ("due_on", "debit_on", "explained"),
    [
        (date(2026, 12, 25), date(2026, 12, 28), True),
        (date(2026, 12, 1), date(2026, 12, 1), False),
    ],
)
def test_a_debit_after_the_due_date_is_explained(
    due_on: date, debit_on: date, explained: bool
) -> None:
    said = text(pdf_of(invoice(due_on=due_on, debit_on=debit_on)))
    assert ("kein Bankarbeitstag (TARGET)" in said) is explained


@BOTH
def test_the_same_content_gives_the_same_bytes(content: Content) -> None:
    first = pdf_of(content)
    pdf_of(invoice(*[GLASS] * 30))
    assert pdf_of(content) == first


def test_other_content_gives_other_bytes() -> None:
    assert pdf_of(invoice()) != pdf_of(invoice(recipient_name="Nadia Brand"))


@BOTH
def test_what_the_file_says_about_itself(content: Content) -> None:
    with pikepdf.open(io.BytesIO(pdf_of(content))) as pdf:
        assert str(pdf.Root.Lang) == "de"
        assert content.number in str(pdf.docinfo["/Title"])
        assert str(pdf.docinfo["/Author"]) == HAFENLICHT.name
        assert str(pdf.docinfo["/CreationDate"]) == f"D:{content.issued_on:%Y%m%d}"
        assert pdf.Root.MarkInfo.Marked
        assert "/StructTreeRoot" in pdf.Root
        assert content.recipient_name not in str(pdf.docinfo)


@BOTH
def test_the_file_holds_nothing_active(content: Content) -> None:
    active = {"/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/URI",
              "/OpenAction", "/AA", "/RichMedia", "/SubmitForm"}  # fmt: skip
    assert not active & names_in(pdf_of(content))


def names_in(data: bytes) -> set[str]:
    """Every key and every name of every object of the file."""
    found: set[str] = set()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
                found |= set(thing.keys())
                found |= {str(value) for _, value in thing.items()}
    return found


def test_fonts_are_ours_and_embedded() -> None:
    with pikepdf.open(io.BytesIO(pdf_of(invoice()))) as pdf:
        fonts = {
            str(thing.FontName)
            for thing in pdf.objects
            if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/FontDescriptor"
        }
    assert fonts
    assert all("Inter" in name for name in fonts), fonts


def test_letters_of_many_names_come_through() -> None:
    name = "Familie Yıldız-Öztürk, Weiß & Łukasiewicz “Größe”"
    assert name in text(pdf_of(invoice(recipient_name=name)))


def test_a_long_invoice_repeats_its_head_and_counts_its_pages() -> None:
    document = pages(pdf_of(invoice(*[HOUSEHOLD, GLASS] * 25)))
    assert len(document) == 3
    for number, page in enumerate(document, start=1):
        assert f"Seite {number} von 3" in page
        assert "Beitragsrechnung B2C-2026-000123" in page
        assert "IBAN DE09" in page
    assert all("Versicherungsschutz Nettobeitrag" in page for page in document[:2])
    assert sum(page.count("Glasbruch") for page in document) == 25
    assert "Rechnungsbetrag 394,25 €" in document[2]


def test_long_names_wrap_inside_the_page() -> None:
    wide = "Donaudampfschifffahrtsgesellschaft" * 4
    cover = Line(cover=wide, net=300, tax_rate_bp=1900, tax=57, gross=357)
    content = invoice(cover, recipient_name=wide, recipient_address=("x" * 70,) * 5)
    document = pages(pdf_of(content))
    assert "".join(document).replace(" ", "").count(wide) == 2
    assert "Rechnungsbetrag 3,57 €" in " ".join(document)


def test_a_document_shows_only_its_own_kind_of_content() -> None:
    with pytest.raises(TypeError, match="invoice shows InvoiceContent"):
        render("invoice", correction(), HAFENLICHT)


def test_the_house_on_the_document_is_a_setting() -> None:
    house = replace(HAFENLICHT, name="Nordstern <Direkt> AG", email="hallo@nordstern.example")
    said = text(render("invoice", invoice(), house))
    assert "Nordstern <Direkt> AG · Am Sandtorkai 12" in said
    assert "hallo@nordstern.example" in said
    assert "Hafenlicht" not in said


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (euro(0), "0,00 €"),
        (euro(5), "0,05 €"),
        (euro(123456789), "1.234.567,89 €"),
        (euro(-100000), "−1.000,00 €"),
        (percent(1615), "16,15 %"),
        (percent(1900), "19 %"),
        (percent(380), "3,8 %"),
        (percent(10000), "100 %"),
        (iban_groups("DE09200700000123456789"), "DE09 2007 0000 0123 4567 89"),
    ],
)
def test_german_figures(shown: str, expected: str) -> None:
    assert shown.replace("\xa0", " ") == expected
