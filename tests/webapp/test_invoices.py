"""Invoices in the browser's eyes: the list and its export, one document with its money, and PDFs
that leave only as they were recorded."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from hashlib import sha256

import pytest
from flask import Flask

from domain.kernel.ids import HOUSE, derive
from domain.readmodels import lists
from domain.work.commands import case_id
from domain.work.events import CaseType
from tests.pages import AsRole, Page, words
from tests.readmodels.kit import PDF, Following, Story
from tests.webapp.queries import asked
from webapp.blueprints import invoices
from webapp.models import Audit, db


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


def numbers(page: Page) -> list[str]:
    return [words(cell) for cell in page.select("#rows th")]


def cells(page: Page) -> list[str]:
    return [words(cell) for cell in page.one("#rows tr").cssselect("th, td")][1:]


def looks(app: Flask) -> list[tuple[str, str | None]]:
    with app.app_context():
        rows = db.session.query(Audit).filter_by(act="pdf.read").order_by(Audit.id)
        return [(row.outcome, row.subject) for row in rows]


def test_no_invoice_yet(kit: Following, as_role: AsRole) -> None:
    assert "No invoice yet" in as_role("support").get("/invoices").text


def test_status_and_payment_are_two_columns(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    ada = as_role("finance")
    page = ada.get("/invoices")
    assert cells(page)[0:3] == ["B2C-2026-000001", "02.11.2026", "Nadia Brandt"]
    assert cells(page)[5:] == ["PDF is being made", "being collected"]
    story.confirmed()
    assert cells(ada.get("/invoices"))[5:] == ["issued", "paid"]
    story.returned("AC04")
    assert cells(ada.get("/invoices"))[5:] == ["issued", "returned (AC04)"]
    assert "1 of 1" in ada.get("/invoices").text


def test_filters_restore_from_the_address(kit: Following, as_role: AsRole) -> None:
    Story(kit, "Nadia Brandt"), Story(kit, "Meyer GmbH", 3)
    ada = as_role("finance")
    asked = "q=meyer&kind=invoice&payment=collecting&from=2026-11-01&amount=357,00"
    page = ada.get(f"/invoices?{asked}")
    assert numbers(page) == ["B2C-2026-000002"]
    assert page.one("#f-q").get("value") == "meyer"
    assert words(page.one("#f-payment-chosen")) == "being collected"
    none = ada.get("/invoices?q=nobody")
    assert "No document fits these filters" in none.text
    assert none.select('.empty a[href="/invoices"]')


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("amount=1.234", "Do you mean"),
        ("amount=x", "This is not an amount"),
        ("from=soon", "This is not a day."),
        ("kind=reminder", "There is nothing of that name to choose."),
        ("payment=lost&payment=paid", "There is nothing of that name to choose."),
    ],
)
def test_what_cannot_be_understood_is_said(
    kit: Following, as_role: AsRole, query: str, sentence: str
) -> None:
    Story(kit)
    page = as_role("finance").get(f"/invoices?{query}", status=422)
    assert sentence in page.text
    assert "Nothing is shown" in page.text


def test_columns_sort_both_ways_and_more_goes_on(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b", "A", "c"):
        Story(kit, name, 1)
    ada = as_role("finance")
    page = ada.get("/invoices?sort=customer")
    assert [words(row.cssselect("td")[2]) for row in page.select("#rows tr")] == ["A", "b", "c"]
    assert page.one("th[aria-sort]").get("aria-sort") == "ascending"
    assert "sort=-customer" in str(page.one("th[aria-sort] a").get("href"))
    monkeypatch.setattr(lists, "PAGE", 2)
    first = ada.get("/invoices")
    assert "1–2 of 3" in first.text
    second = ada.get(str(first.one("#more a[rel=next]").get("href")))
    assert "3–3 of 3" in second.text
    assert not second.select("#more a[rel=next]")
    assert numbers(first) + numbers(second) == [f"B2C-2026-00000{n}" for n in (3, 2, 1)]


def test_a_long_count_is_bounded(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        Story(kit, covers=1)
    monkeypatch.setattr(lists, "COUNT_MAX", 2)
    assert "1–3 of over 2" in as_role("finance").get("/invoices").text


def test_a_document_tells_its_lines_money_and_history(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    ada = as_role("finance")
    url = f"/invoices/{story.invoice_id}"
    page = ada.get(url)
    assert page.h1 == "Invoice B2C-2026-000001"
    assert "The PDF is being made." in page.text
    assert page.one("#file").get("hx-get") == url
    story.confirmed()
    refund_id = story.refund(50_00)
    page = ada.get(url)
    assert page.one("#file").get("hx-get") is None
    for told in (
        "Household",
        "19,00\u00a0%",
        "238,00",
        "188,00",
        story.contract_number,
        "Am Sandtorkai 1",
        sha256(PDF).hexdigest(),
        "Correction KOR-2026-000001 issued",
        "Invoice B2C-2026-000001 over 238,00",
    ):
        assert told in " ".join(page.tree.text_content().split(" ")), told
    correction_id = derive("inv", refund_id, "correction", refund_id)
    assert page.select(f'a[href="/invoices/{correction_id}"]')
    correction = ada.get(f"/invoices/{correction_id}")
    assert correction.h1 == "Correction KOR-2026-000001"
    assert "\u221250,00" in correction.text
    assert correction.select(f'a[href="{url}"]')
    assert correction.select(f'a[href="/refunds/{refund_id}"]')
    assert "going back" in correction.text
    story.refund_confirmed(refund_id)
    assert "paid back" in ada.get(f"/invoices/{correction_id}").text


def test_the_pdf_is_the_one_that_was_recorded(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    ada = as_role("finance")
    url = f"/invoices/{story.invoice_id}.pdf"
    pending = ada.get(url, status=202)
    assert pending.h1 == "The PDF of B2C-2026-000001 is being made"
    assert looks(ada.app) == []
    story.rendered()
    answer = ada.get(url).response
    assert answer.get_data() == PDF
    assert answer.mimetype == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'inline; filename="B2C-2026-000001.pdf"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert looks(ada.app) == [("allowed", story.invoice_id)]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE document_file SET body = set_byte(body, 40, get_byte(body, 40) # 1)",
        "DELETE FROM document_file",
        "UPDATE read.invoices_document SET pdf_sha256 = repeat('0', 64)",
    ],
)
def test_a_damaged_pdf_is_never_sent(kit: Following, as_role: AsRole, tampering: str) -> None:
    story = Story(kit)
    story.rendered()
    with kit.kontor.read() as connection:
        assert connection.execute(tampering.encode()).rowcount == 1
    ada = as_role("finance")
    page = ada.get(f"/invoices/{story.invoice_id}.pdf", status=500)
    assert page.h1 == "The PDF of B2C-2026-000001 is damaged"
    assert "Nothing was sent." in page.text
    ada.post("/invoices/pdfs", {"id": story.invoice_id}, status=500)
    assert looks(ada.app) == [("failed", story.invoice_id)] * 2


def test_selected_pdfs_come_in_one_file(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = Story(kit), Story(kit, "Meyer GmbH"), Story(kit, "O. Kraus")
    first.rendered(body=b"%PDF-1.7 first")
    second.rendered(body=b"%PDF-1.7 second")
    ids = [story.invoice_id for story in (third, second, first)]
    ada = as_role("finance")
    answer = ada.post("/invoices/pdfs", {"id": [*ids, "inv_nothing"]}, status=200).response
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "B2C-2026-000001.pdf": b"%PDF-1.7 first",
            "B2C-2026-000002.pdf": b"%PDF-1.7 second",
            "not-made-yet.txt": b"B2C-2026-000003\n",
        }
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="documents-2026-11-02.zip"'
    )
    assert sorted(looks(ada.app)) == sorted(("allowed", one) for one in ids[1:])
    assert "Select the documents first." in ada.post("/invoices/pdfs", status=422).text
    monkeypatch.setattr(invoices, "ZIP_MAX", 1)
    many = ada.post("/invoices/pdfs", {"id": ids}, status=422)
    assert "Select at most 1 documents at once." in many.text


def test_who_may_read(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.rendered()
    ben = as_role("admin")
    for url in ("", "/export.csv", f"/{story.invoice_id}", f"/{story.invoice_id}.pdf"):
        ben.get(f"/invoices{url}", status=403)
    ben.post("/invoices/pdfs", {"id": story.invoice_id}, status=403)
    for role in ("support", "operations", "lead", "auditor"):
        as_role(role).get(f"/invoices/{story.invoice_id}.pdf")


def test_what_does_not_exist(kit: Following, as_role: AsRole) -> None:
    ada = as_role("finance")
    nobody = derive("inv", HOUSE, "none")
    for url in ("nothing", "nothing.pdf", nobody, f"{nobody}.pdf", "inv_%20"):
        ada.get(f"/invoices/{url}", status=404)


def test_a_page_takes_three_queries(kit: Following, as_role: AsRole) -> None:
    """Besides the session: two or fewer of the read model, one for the names of staff."""
    story = Story(kit)
    story.confirmed()
    story.refund(120_00)
    case = case_id(CaseType.REFUND_APPROVAL, story.refund(110_00))
    ada = as_role("finance")
    kit.__exit__()
    for url in ("/work", f"/work/{case}", "/invoices", f"/invoices/{story.invoice_id}"):
        with asked() as sent:
            ada.get(url)
        assert 0 < len(sent) <= 3, url
