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
from domain.readmodels.invoices import DOCUMENTS, MODEL, DocumentRow, Kind, Standing
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


def listing(kit: Kit, filters: q.Filters, order: q.Order | None = None) -> list[str]:
    with kit.kontor.read() as connection:
        page = q.listing(connection, filters, order or q.Order())
    return [row.number for row in page.documents]


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
    expected = {
        q.Filters(kind=Kind.CORRECTION): ["KOR-2026-000001"],
        q.Filters(status=q.Status.RETURNED): [numbers[returned.invoice_id]],
        q.Filters(status=q.Status.OPEN): [numbers[open_.invoice_id]],
        q.Filters(status=q.Status.PAID): [numbers[paid.invoice_id]],
        q.Filters(status=q.Status.REDUCED): [numbers[paid.invoice_id]],
        q.Filters(text="kraus"): [numbers[open_.invoice_id]],
        q.Filters(text="100%"): [numbers[returned.invoice_id]],
        q.Filters(text="1%0"): [],
        q.Filters(text=open_.contract_number): [numbers[open_.invoice_id]],
        q.Filters(gross=50_00): ["KOR-2026-000001"],
        q.Filters(gross=open_.amount): [numbers[open_.invoice_id]],
        q.Filters(issued_from=date(2026, 12, 9)): ["KOR-2026-000001"],
        q.Filters(issued_to=date(2026, 11, 1)): [],
    }
    for filters, wanted in expected.items():
        assert listing(kit, filters) == wanted, filters
        with kit.kontor.read() as connection:
            assert q.count(connection, filters) == q.Count(number=len(wanted), capped=False)


def test_every_order_pages_through_everything_once(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    stories = [Story(kit, name, covers) for name, covers in (("b", 1), ("A", 2), ("c", 1))]
    monkeypatch.setattr(q, "PAGE_ROWS", 2)
    for sort in q.Sort:
        for descending in (True, False):
            order, seen, after = q.Order(sort=sort, descending=descending), [], ""
            with kit.kontor.read() as connection:
                while True:
                    page = q.listing(connection, q.Filters(), order, after)
                    seen += [row.recipient for row in page.documents]
                    if page.after is None:
                        break
                    after = page.after
                streamed = [r.recipient for r in q.everything(connection, q.Filters(), order)]
            assert sorted(seen, key=str) == ["A", "b", "c"], order
            assert seen == streamed
            if sort is q.Sort.CUSTOMER:
                assert seen == (["c", "b", "A"] if descending else ["A", "b", "c"])
    assert len(stories) == 3


def test_a_count_stops_at_its_cap(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        Story(kit, covers=1)
    monkeypatch.setattr(q, "COUNT_CAP", 2)
    with kit.kontor.read() as connection:
        assert q.count(connection, q.Filters()) == q.Count(number=2, capped=True)


def test_strange_keys_begin_at_the_beginning(kit: Kit) -> None:
    story = Story(kit)
    with kit.kontor.read() as connection:
        for after in ("", "x", "inv_", "pay_" + "0" * 26, "\0", "' OR 1=1"):
            page = q.listing(connection, q.Filters(), q.Order(), after)
            assert [row.document_id for row in page.documents] == [story.invoice_id]
        strange = q.Filters(text="\0\\%_'")
        assert q.listing(connection, strange, q.Order()).documents == ()
        assert q.detail(connection, "inv_\0") is None
        assert q.chosen(connection, [story.invoice_id, "x\0"])[0].document_id == story.invoice_id
