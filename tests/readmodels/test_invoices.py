"""The read model of Invoices: figures follow the receivable, documents follow the money, the list
pages, filters and counts, and a rebuilt model equals the live one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from config import Settings
from domain.dispatch import Dispatcher
from domain.kernel.ids import derive
from domain.kernel.lines import total_gross
from domain.payments.commands import ApproveRefund
from domain.payments.events import Reason
from domain.readmodels import invoice_queries as q
from domain.readmodels import paging
from domain.readmodels.invoices import DOCUMENTS, MODEL, DocumentRow, Kind, Standing
from domain.readmodels.lists import Count, Order
from domain.readmodels.words import prefix_query, words_of
from domain.stream.database import Database
from tests.readmodels.kit import PDF, Kit, Story


@pytest.fixture
def kit(settings: Settings) -> Iterator[Kit]:
    database = Database(settings.database_url, settings.kek)
    yield Kit(Dispatcher(database), [MODEL])
    database.close()


def detail(kit: Kit, document_id: str) -> q.Detail:
    with kit.kontor.read() as connection:
        found = q.detail(connection, document_id)
    assert found is not None
    return found


def document(kit: Kit, document_id: str) -> DocumentRow:
    return detail(kit, document_id).document


def listing(kit: Kit, **filters: object) -> list[str]:
    with kit.kontor.read() as connection:
        page = paging.page(connection, q.DOCUMENTS, filters, Order(sort="number"))
        assert page.count == Count(number=len(page.rows))
    return [row.number for row in page.rows]


def approve(story: Story, refund_id: str) -> None:
    story.kit.do(
        ApproveRefund(
            by="staff:stf_jon",
            refund_id=refund_id,
            payment_id=story.payment_id,
            role="operations",
        )
    )
    story.kit.settle()


def test_an_invoice_is_collected_and_its_pdf_follows(kit: Kit) -> None:
    story = Story(kit)
    row = document(kit, story.invoice_id)
    assert (row.kind, row.number, row.standing) == (
        Kind.INVOICE,
        "B2C-2026-000001",
        Standing.COLLECTING,
    )
    assert row.gross == row.net + row.tax == total_gross(row.lines) == story.amount
    assert (row.owed, row.paid, row.collecting) == (story.amount, 0, story.payment_id)
    assert (row.recipient, row.pdf_sha256) == ("Nadia Brandt", None)
    story.rendered()
    row = document(kit, story.invoice_id)
    assert row.pdf_size == len(PDF)
    assert (row.delivered_on, row.channel) == (date(2026, 11, 2), "portal")


def test_confirmed_money_pays_it(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    row = document(kit, story.invoice_id)
    assert (row.standing, row.paid, row.owed) == (Standing.PAID, story.amount, story.amount)


def test_a_return_opens_it_again_with_its_code(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    story.returned("AC04")
    row = document(kit, story.invoice_id)
    assert (row.standing, row.code, row.paid) == (Standing.RETURNED, "AC04", 0)
    assert row.collecting is None


def test_a_failed_collection_says_why(kit: Kit) -> None:
    story = Story(kit)
    story.failed("AM04", "insufficient_funds")
    row = document(kit, story.invoice_id)
    assert (row.standing, row.code, row.collecting) == (Standing.FAILED, "AM04", None)


def test_a_premium_reduction_makes_a_correction_that_refers_to_the_invoice(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(50_00)
    correction_id = derive("inv", refund_id, "correction", refund_id)
    found = detail(kit, story.invoice_id)
    assert [row.document_id for row in found.corrections] == [correction_id]
    assert (found.document.reduced, found.document.owed) == (50_00, story.amount - 50_00)
    assert found.document.standing is Standing.PAID
    correction = document(kit, correction_id)
    assert (correction.kind, correction.number) == (Kind.CORRECTION, "KOR-2026-000001")
    assert correction.gross == correction.net + correction.tax == -50_00
    assert total_gross(correction.lines) == -50_00
    assert (correction.corrects_number, correction.standing, correction.paid) == (
        "B2C-2026-000001",
        Standing.GOING_BACK,
        0,
    )
    story.refund_confirmed(refund_id)
    correction = document(kit, correction_id)
    assert (correction.standing, correction.paid) == (Standing.PAID_BACK, -50_00)
    assert document(kit, story.invoice_id).paid == story.amount - 50_00
    story.refund_failed(refund_id)
    correction = document(kit, correction_id)
    assert (correction.standing, correction.code, correction.paid) == (
        Standing.REFUND_FAILED,
        "account_closed",
        0,
    )
    assert document(kit, story.invoice_id).paid == story.amount


def test_goodwill_makes_no_document(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund_confirmed(story.refund(10_00, Reason.GOODWILL))
    found = detail(kit, story.invoice_id)
    assert (found.corrections, found.document.reduced, found.document.paid) == (
        (),
        0,
        story.amount,
    )


def test_a_rebuilt_model_equals_the_live_one(kit: Kit) -> None:
    first, second = Story(kit), Story(kit, "Meyer GmbH")
    second.rendered()
    first.confirmed()
    second.confirmed()
    refund_id = first.refund(120_00)
    approve(first, refund_id)
    first.refund_confirmed(refund_id)
    first.refund_failed(refund_id)
    second.returned()
    live, again = kit.rebuilt(MODEL)
    assert live == again
    with kit.kontor.read() as connection:
        connection.execute("UPDATE read.invoices_document SET paid = paid + 1")
        assert MODEL.digest(connection)[DOCUMENTS.name] != again[DOCUMENTS.name]


def test_filters_find_what_they_say(kit: Kit) -> None:
    paid, returned, open_ = Story(kit), Story(kit, "Meyer 100% GmbH"), Story(kit, "O. Kraus", 3)
    returned.rendered()
    paid.confirmed()
    returned.confirmed()
    returned.returned()
    paid.refund(50_00)
    numbers = {
        story.invoice_id: document(kit, story.invoice_id).number
        for story in (paid, returned, open_)
    }
    expected = [
        ({"kind": Kind.CORRECTION}, ["KOR-2026-000001"]),
        ({"standing": Standing.RETURNED}, [numbers[returned.invoice_id]]),
        ({"standings": ["open", "collecting"]}, [numbers[open_.invoice_id]]),
        ({"standing": Standing.PAID}, [numbers[paid.invoice_id]]),
        ({"reduced": True}, [numbers[paid.invoice_id]]),
        ({"words": prefix_query("kraus")}, [numbers[open_.invoice_id]]),
        ({"words": prefix_query("100%")}, [numbers[returned.invoice_id]]),
        ({"words": prefix_query(open_.contract_number)}, [numbers[open_.invoice_id]]),
        ({"words": prefix_query("000003")}, [numbers[open_.invoice_id]]),
        ({"gross": 50_00}, ["KOR-2026-000001"]),
        ({"gross": open_.amount}, [numbers[open_.invoice_id]]),
        ({"issued_from": date(2026, 12, 9)}, ["KOR-2026-000001"]),
        ({"issued_to": date(2026, 11, 1)}, []),
        ({"due_to": date(2026, 11, 30)}, []),
    ]
    for filters, wanted in expected:
        assert listing(kit, **filters) == wanted, filters
    assert "4711" in words_of("B2C-2026-004711")


def test_a_text_that_is_no_id_is_no_document(kit: Kit) -> None:
    story = Story(kit)
    with kit.kontor.read() as connection:
        assert q.detail(connection, "inv_\0") is None
        assert q.chosen(connection, [story.invoice_id, "x\0"])[0].document_id == story.invoice_id
