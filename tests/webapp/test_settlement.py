"""Payouts and bank statements in the browser's eyes: what was listed beside what arrived, and the
upload that imports a statement once or says why not."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest
from flask import Flask

from config import Settings
from domain import operating
from domain.kernel.ids import HOUSE, derive
from domain.kernel.time import berlin
from domain.payments.settlement_commands import (
    ImportStatement,
    ListPayout,
    StatementLine,
    payout_id,
)
from domain.payments.settlement_events import ItemKind, PayoutItem
from domain.readmodels import settlement
from domain.readmodels.lists import PAGE
from domain.stream import clock, effects
from jobs.context import open_context
from jobs.effects import carry_out
from jobs.providers.stripe.simulator import camt
from jobs.providers.stripe.simulator.bank import PAYER
from tests.pages import AsRole, words
from tests.readmodels.kit import Following, Story
from webapp.access.permissions import Role
from webapp.blueprints import statements

DAY = date(2026, 11, 2)


@pytest.fixture
def kit(app: Flask) -> Following:
    return Following(app.extensions["kontor"])


def list_payout(kit: Following, reference: str, items: tuple[PayoutItem, ...]) -> str:
    kit.do(
        ListPayout(
            by="stripe",
            provider="stripe",
            provider_payout=f"po_{reference}",
            reference=reference,
            net=sum(item.amount - item.fee for item in items),
            items=items,
        )
    )
    kit.settle()
    return payout_id("stripe", reference)


def item(payment_id: str | None, amount: int = 100_00, fee: int = 35) -> PayoutItem:
    return PayoutItem(
        kind=ItemKind.PAYMENT,
        payment_id=payment_id,
        refund_id=None,
        amount=amount,
        fee=fee,
        reference="txn_1",
    )


def book(kit: Following, number: str, *lines: tuple[str | None, int]) -> str:
    command = ImportStatement(
        by="worker",
        account=f"DE09200700000123456789 {number}",  # days of one account are told once
        bank_reference=number,
        sequence=1,
        from_on=DAY,
        to_on=DAY,
        opening=1_000_00,
        closing=1_000_00 + sum(amount for _, amount in lines),
        file_hash=number,
        entries=tuple(
            StatementLine(
                amount=amount,
                booked_on=DAY,
                value_on=DAY,
                end_to_end_id=reference,
                bank_reference="b1",
                counterparty=PAYER if reference else "Erika Mustermann",
                remittance="STRIPE" if reference else "Beitrag",
            )
            for reference, amount in lines
        ),
    )
    kit.do(command)
    kit.settle()
    return command.statement_id


def test_a_payout_goes_from_listed_to_settled(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    payout = list_payout(kit, "TRACE1", (item(story.payment_id), item(None, -20_00, 0)))
    client = as_role(Role.FINANCE)
    assert "Listed, not arrived" in client.get("/payouts").text
    page = client.get(f"/payouts/{payout}")
    assert "The bank has not shown this money yet" in page.text
    assert "without an id of ours" in page.text
    assert page.one(f'a[href$="{story.payment_id}"]') is not None
    statement = book(kit, "S-1", ("TRACE1", 79_65))
    page = client.get(f"/payouts/{payout}")
    assert "equal" in words(page.select("section.card")[0])
    assert page.one(f'a[href="/statements/{statement}"]') is not None
    rows = [words(cell) for cell in client.get("/payouts?state=settled").select("tbody td")]
    assert rows[-1] == "Settled"
    assert "79,65 €" in rows
    assert "No payout fits these filters" in client.get("/payouts?state=differs").text
    assert "payment-paid-out" in client.get("/stream?type=payment-paid-out").text


def test_a_negative_balance_at_the_provider_says_that_the_next_payout_waits(
    kit: Following, as_role: AsRole
) -> None:
    story, says = Story(kit), "pays out nothing for the time being"
    story.confirmed()
    list_payout(kit, "TRACE1", (item(story.payment_id),))
    client = as_role(Role.FINANCE)
    assert says not in client.get("/payouts").text
    kit.at(berlin(date(2026, 12, 4), 10))
    story.returned()
    note = words(client.get("/payouts").one(".note"))
    assert says in note
    assert "than came in (0,00 €)" in note


def test_what_is_longer_than_a_page_is_shown_to_its_end(kit: Following, as_role: AsRole) -> None:
    client = as_role(Role.FINANCE)
    statement = book(kit, "S-9", *[(None, cents) for cents in range(1, PAGE + 4)])
    page = client.get(f"/statements/{statement}")
    assert len(page.select("tbody tr")) == PAGE
    more = page.one(".more")
    assert words(more.cssselect("span")[0]) == f"{PAGE} of {PAGE + 3}"
    listed = client.get(more.cssselect("a")[0].attrib["href"])
    assert words(listed.one("#position")).endswith(f"of {PAGE + 3}")
    rest = client.get(listed.one("a[rel=next]").attrib["href"])
    assert [words(row.cssselect("td.num")[0]) for row in rest.select("#rows tr")] == [
        f"0,{PAGE + n} €" for n in (1, 2, 3)
    ]
    payout = list_payout(kit, "TRACE9", tuple(item(None) for _ in range(PAGE + 3)))
    first = client.get(f"/payouts/{payout}")
    whole = [words(cell) for cell in first.select("tbody")[0].cssselect("td.num")]
    assert whole[0] == f"{PAGE + 3}00,00 €".replace("5300", "5.300"), "the sum of all items"
    assert f"1–{PAGE} of {PAGE + 3}" in words(first.one("#items .more"))
    last = client.get(first.one("#items a[rel=next]").attrib["href"])
    assert len(last.select("#items tbody tr")) == 3
    assert not last.select("#items a[rel=next]")
    client.get(f"/payouts/{payout}?after=1000", status=404)


def test_a_payout_that_arrived_short_says_by_how_much(kit: Following, as_role: AsRole) -> None:
    payout = list_payout(kit, "TRACE2", (item(None),))
    book(kit, "S-2", ("TRACE2", 92_15))
    page = as_role(Role.AUDITOR).get(f"/payouts/{payout}")
    assert "The bank booked 7,50 € less than the provider listed." in page.text
    assert page.one(".pipe .late") is not None


def test_a_payout_may_arrive_before_it_is_listed(kit: Following, as_role: AsRole) -> None:
    book(kit, "S-3", ("TRACE3", 99_65))
    client = as_role(Role.FINANCE)
    assert "Arrived, not listed" in client.get("/payouts").text
    payout = payout_id("stripe", "TRACE3")
    assert "The provider has not listed the items yet." in client.get(f"/payouts/{payout}").text
    list_payout(kit, "TRACE3", (item(None),))
    assert "Settled" in client.get("/payouts").text


def test_a_statement_shows_what_each_line_explains(kit: Following, as_role: AsRole) -> None:
    list_payout(kit, "TRACE4", (item(None),))
    statement = book(kit, "S-4", ("TRACE4", 99_65), (None, 12_00))
    client = as_role(Role.SUPPORT)
    assert "S-4" in client.get("/statements").text
    rows = [words(row) for row in client.get(f"/statements/{statement}").select("tbody tr")]
    assert "Settled" in rows[0]
    assert "Erika Mustermann" in rows[1]
    assert "unknown, see Work" in rows[1]
    quiet = book(kit, "S-5")
    assert "No line in this statement" in client.get(f"/statements/{quiet}").text


def test_nothing_yet_and_nothing_there(kit: Following, as_role: AsRole) -> None:
    client = as_role(Role.LEAD)
    assert "No payout yet" in client.get("/payouts").text
    assert "No statement yet" in client.get("/statements").text
    client.get(f"/payouts/{derive('po', HOUSE, 'x')}", status=404)
    for nonsense in ("/statements/nonsense", "/payouts/po_1"):
        client.get(nonsense, status=404)
    client.get("/statements?at=x", status=400)
    client.get("/payouts?state=lost", status=422)
    assert kit.kontor.now()


def test_a_rebuilt_model_equals_the_live_one(kit: Following) -> None:
    list_payout(kit, "TRACE5", (item(None), item(None)))
    book(kit, "S-6", ("TRACE5", 199_30), (None, 5))
    list_payout(kit, "TRACE6", (item(None),))
    live, again = kit.rebuilt(settlement.MODEL)
    assert live == again
    assert len(live) == 4


def statement_file(settings: Settings, lines: int = 1) -> bytes:
    told = {
        "id": "20261102-00001",
        "sequence": 1,
        "from": "2026-11-02",
        "to": "2026-11-02",
        "created": "2026-11-02T05:00:00+00:00",
        "opening": 1000_00,
        "closing": 1000_00 + lines * 1,
    }
    line = {
        "amount": 1,
        "booked_on": "2026-11-02",
        "end_to_end_id": "NOTPROVIDED",
        "counterparty": "Erika Mustermann",
        "counterparty_iban": "",
        "remittance": "Beitrag",
        "reason": "",
    }
    return camt.render(settings.house, told, [line] * lines)


def work(kit: Following, settings: Settings) -> None:
    """What the worker does, by itself."""
    context = open_context(settings)
    with context.dispatcher.read() as connection:
        due = effects.due(connection, clock.now(connection), 100)
    for one in due:
        carry_out(context, one.effect_id)
    kit.settle()
    context.dispatcher.database.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "PATIENCE_S", 0.0)


def file(body: bytes, name: str = "statement.xml") -> dict[str, object]:
    return {"file": (BytesIO(body), name)}


@pytest.mark.usefixtures("impatient")
def test_an_upload_is_imported_once(kit: Following, as_role: AsRole, settings: Settings) -> None:
    client, body = as_role(Role.FINANCE), statement_file(settings)
    assert client.get("/statements/upload", htmx="dialog#dialog").one("#file") is not None
    client.post("/statements/upload", file(body))
    page = client.get("/statements")
    assert "received and is being read" in page.text
    assert "being read" in words(page.select("tbody tr")[0])
    work(kit, settings)
    assert "20261102-00001" in client.get("/statements").text
    client.post("/statements/upload", file(body, "another-name.xml"))
    assert "already imported on 02.11.2026 09:00" in client.get("/statements").text
    with kit.kontor.read() as connection:
        counted = connection.execute("SELECT count(*) FROM read.settlement_statement").fetchone()
    assert counted == (1,)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "body",
    [
        b"<Document/>",
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><Document>&a;</Document>",
        b"<not closed",
    ],
)
def test_what_cannot_be_read_is_held_with_its_reason(
    kit: Following, as_role: AsRole, settings: Settings, body: bytes
) -> None:
    client = as_role(Role.OPERATIONS)
    client.post("/statements/upload", file(body))
    work(kit, settings)
    row = words(client.get("/statements").select("tbody tr")[0])
    assert "held" in row
    held = operating.bank_files_not_imported(kit.kontor)[0]
    assert held.reason
    assert held.reason in row
    client.post("/statements/upload", file(body))
    assert "was received on" in client.get("/statements").text


def test_a_quick_worker_is_waited_for(
    kit: Following, as_role: AsRole, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worked(_seconds: float) -> None:
        work(kit, settings)

    monkeypatch.setattr("webapp.blueprints.statements.time.sleep", worked)
    client = as_role(Role.FINANCE)
    client.post("/statements/upload", file(statement_file(settings)))
    assert "The statement was imported." in client.get("/statements").text
    client.post("/statements/upload", file(b"<Document/>"))
    assert "The statement is held, nothing was imported:" in client.get("/statements").text


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "Choose a statement file."),
        (b"Buchungstag;Betrag\n", "This is no XML file."),
        (b"PK\x03\x04" + b"\x00" * 100, "This is no XML file."),
        (b"<" + b"x" * statements.FILE_MAX, "The file is larger than 10 MB."),
    ],
)
def test_what_is_no_statement_is_not_even_stored(
    kit: Following, as_role: AsRole, body: bytes, sentence: str
) -> None:
    page = as_role(Role.FINANCE).post("/statements/upload", file(body), status=422)
    assert sentence in page.text
    assert not operating.bank_files_not_imported(kit.kontor)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_statement_in_another_encoding_is_taken(
    kit: Following, as_role: AsRole, settings: Settings, encoding: str
) -> None:
    body = statement_file(settings).decode().replace("UTF-8", encoding.removesuffix("-sig"), 1)
    as_role(Role.FINANCE).post("/statements/upload", file(body.encode(encoding)))
    work(kit, settings)
    assert "20261102-00001" in as_role(Role.FINANCE).get("/statements").text


def test_a_far_too_large_body_is_refused_before_it_is_read(kit: Following, as_role: AsRole) -> None:
    as_role(Role.FINANCE).post(
        "/statements/upload", file(b"<" + b"x" * statements.FORM_MAX), status=413
    )
    assert not operating.bank_files_not_imported(kit.kontor)


@pytest.mark.parametrize("role", list(Role))
def test_who_may_upload(kit: Following, as_role: AsRole, settings: Settings, role: Role) -> None:
    client = as_role(role)
    may = role in (Role.FINANCE, Role.OPERATIONS)
    reads = role is not Role.ADMIN
    page = client.get("/statements", status=200 if reads else 403)
    assert bool(page.select('a[href="/statements/upload"]')) is may
    client.get("/statements/upload", status=200 if may else 403)
    client.post("/statements/upload", file(b""), status=422 if may else 403)
    assert kit.kontor.now()
    assert settings.sandbox
