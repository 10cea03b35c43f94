"""Contracts in the browser's eyes: plan, schedule, money, payments, documents, cases and what
happened; the list; the recorded look at the account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import uuid4

import pytest
from flask import Flask

from domain.contracts.commands import BillInstalment, SignContract
from domain.contracts.events import Cover, Rounding
from domain.kernel.ids import HOUSE, derive, write_id
from domain.kernel.time import add_months
from domain.payments.commands import RevokeMandate
from tests.pages import AsRole, Page, words
from tests.readmodels.kit import DUE, Following, Story
from tests.webapp.queries import asked
from tests.webapp.test_customers import table, told
from webapp.models import Audit, db


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


def url(story: Story) -> str:
    return f"/contracts/{story.contract_id}"


def facts(page: Page) -> dict[str, str]:
    names = page.select("section[aria-labelledby=t-facts] dt")
    values = page.select("section[aria-labelledby=t-facts] dd")
    return {words(name): words(value) for name, value in zip(names, values, strict=True)}


def quiet_contract(kit: Following, product: str = "Household", customer_id: str = "") -> str:
    """Signed for next year by somebody whom nobody registered."""
    customer_id = customer_id or write_id("cus", uuid4())
    contract_id = derive("ct", customer_id, customer_id, "quiet")
    kit.do(
        SignContract(
            by="demo",
            contract_id=contract_id,
            customer_id=customer_id,
            mandate_id=derive("man", customer_id, customer_id),
            number="HR-9",
            product=product,
            covers=(Cover(name="Household", net_year=100_00, tax_rate_bp=1615),),
            instalments_per_year=4,
            surcharge_bp=300,
            rounding=Rounding.ANNUAL_FIRST,
            first_due_on=date(2027, 5, 31),
        )
    )
    kit.settle()
    return contract_id


def test_the_plan_in_words(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    page = as_role("support").get(url(story))
    assert page.h1 == f"Contract {story.contract_number}"
    assert words(page.one(".amount")) == "2.856,00 €"
    assert [words(chip) for chip in page.select(".head .chip")] == [
        "Begins on 01.12.2026",
        "In order",
        "Money on its way",
    ]
    told_ = facts(page)
    assert told_["Customer"] == "Nadia Brandt"
    assert told_["Instalments"] == "monthly, next 238,00 €"
    assert told_["Method"] == "SEPA direct debit, DE** **** 3000"
    assert told_["Announced"] == "at least 14 days ahead"
    assert [row[2] for row in table(page, "Covers")] == ["19,00 %", "19,00 %"]
    steps = [words(step) for step in page.select(".pipe li strong")]
    assert steps == ["Signed", "Begins", "Last bill", "Next bill", "Next debit"]


def test_the_schedule_from_what_was_billed_to_what_comes(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    kit.do(BillInstalment(by="timer", contract_id=story.contract_id, due_on=add_months(DUE, 1)))
    kit.settle()
    rows = table(as_role("support").get(url(story)), "Schedule")
    assert [row[0] for row in rows] == [
        "01.04.2027",
        "01.03.2027",
        "01.02.2027",
        "01.01.2027 debit 04.01.2027",
        "01.12.2026",
    ]
    assert rows[2][1:] == [
        "01.02.–28.02.2027 to be announced 11.01.2027",
        "",
        "To come",
        "238,00 €",
    ]
    assert [row[3] for row in rows[3:]] == ["being collected", "paid"]
    assert [row[1].partition("2027 ")[2] for row in rows[3:4]] == ["not announced yet"]
    assert rows[4][1] == "01.12.–31.12.2026 announced 02.11.2026"
    assert rows[4][2].startswith("B2C-2026-")


def test_money_payments_documents_and_cases(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund_confirmed(story.refund(50_00))
    story.returned()
    page = as_role("support").get(url(story))
    assert {row[0]: row[2] for row in table(page, "Money")} == {
        "Billed": "238,00 €",
        "Reduced": "−50,00 €",
        "Paid": "0,00 €",
        "Due": "0,00 €",
        "Open again": "188,00 €",
        "Refunded": "50,00 €",
        "Owed back": "50,00 €",
    }
    ((payment_id, *_rest),) = table(page, "Payments")
    assert payment_id == story.payment_id[:14]
    documents = table(page, "Documents")
    assert [row[0].partition("-")[0] for row in documents] == ["KOR", "B2C"]
    assert page.select(f"a[href='/invoices/{story.invoice_id}.pdf']")
    assert len(table(page, "Cases")) == 2
    lines = told(page)
    assert any("returned 238,00 €" in line for line in lines)
    assert any("left us twice" in line for line in lines)
    only_work = as_role("support").get(f"{url(story)}?show=work")
    assert all(line.startswith("Case opened") for line in told(only_work))


def test_what_went_back_leads_to_the_refunds_of_this_contract(
    kit: Following, as_role: AsRole
) -> None:
    """Not to those of another contract of the same customer."""
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(50_00)
    story.refund_confirmed(refund_id)
    other = quiet_contract(kit, customer_id=story.customer_id)
    browser = as_role("support")
    (link,) = [
        one.attrib["href"]
        for one in browser.get(url(story)).select("a[href^='/refunds?']")
        if words(one) == "50,00 €"
    ]

    def listed(address: str) -> list[str]:
        return [words(cell) for cell in browser.get(address).select("#rows th")]

    assert listed(link) == [refund_id[:13]]
    assert listed(link.replace(story.contract_id, story.contract_number)) == [refund_id[:13]]
    assert listed(link.replace(story.contract_id, other)) == []
    assert listed(f"/refunds?customer={story.customer_id}") == [refund_id[:13]]


def test_a_contract_that_bills_nothing_yet(kit: Following, as_role: AsRole) -> None:
    long = "Hausrat mit allen Bausteinen, Wertsachen, Fahrrad, Glas und Elementarschäden, " * 3
    page = as_role("auditor").get(f"/contracts/{quiet_contract(kit, long)}")
    for text in ("No payments yet", "No documents yet", "No cases", "Nothing billed yet"):
        assert text in page.text
    assert [row[3] for row in table(page, "Schedule")] == ["To come"] * 3
    assert facts(page)["Customer"] == "erased"
    assert "quarterly" in facts(page)["Instalments"]
    assert "Surcharge for paying in instalments: 3,00 %." in page.text
    assert not page.select("a[href$='/iban']")


def test_a_revoked_mandate_is_marked(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    kit.do(RevokeMandate(by="staff:stf_mia", mandate_id=story.mandate_id))
    kit.settle()
    assert "revoked" in facts(as_role("support").get(url(story)))["Mandate"]


def test_a_full_iban_is_looked_at_by_name(app: Flask, kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    quiet = quiet_contract(kit)
    auditor = as_role("auditor")
    assert auditor.get(url(story)).select(f"a[href='{url(story)}/iban']")
    page = auditor.get(f"{url(story)}/iban", htmx="dialog#dialog")
    assert "DE89 3704 0044 0532 0130 00" in page.text
    as_role("support").get(f"{url(story)}/iban", status=403)
    auditor.get(f"/contracts/{quiet}/iban", status=404)
    with app.app_context():
        trail = [(row.act, row.outcome, row.subject) for row in db.session.query(Audit)]
    assert ("iban.full", "allowed", story.mandate_id) in trail
    assert ("iban.full", "denied", story.contract_id) in trail


def test_there_is_no_such_contract(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    browser = as_role("auditor")
    wrong = ("ct_nonsense", "%27", "%00", derive("ct", HOUSE, "nobody"), story.payment_id)
    for contract_id in wrong:
        for path in ("", "/iban"):
            browser.get(f"/contracts/{contract_id}{path}", status=404)
    browser.get(f"{url(story)}?show=nonsense", status=400)
    as_role("admin").get(url(story), status=403)
    as_role("admin").get("/contracts", status=403)


def test_the_list_filters_and_sorts(kit: Following, as_role: AsRole) -> None:
    brandt, zander = Story(kit), Story(kit, "Xaver Zander", covers=1)
    zander.failed()
    browser = as_role("support")
    numbers = [brandt.contract_number, zander.contract_number]

    def listed(query: str) -> list[str]:
        return [words(cell) for cell in browser.get(f"/contracts{query}").select("#rows th")]

    assert listed("") == numbers
    assert listed("?sort=-number") == numbers[::-1]
    assert listed("?q=zand") == numbers[1:]
    assert listed(f"?q={brandt.contract_number}") == numbers[:1]
    assert listed("?status=open") == numbers[1:]
    assert listed("?rhythm=12&from=2027-01-01&to=2027-01-31") == numbers
    assert listed("?rhythm=1") == []
    assert listed(f"?q={brandt.customer_id}") == numbers[:1]
    assert listed(f"?q={zander.contract_id}") == numbers[1:]
    assert "No contract fits these filters" in browser.get("/contracts?q=nobody").text
    browser.get("/contracts?from=soon", status=422)


def test_an_empty_list_says_why(kit: Following, as_role: AsRole) -> None:
    assert "No contracts yet" in as_role("support").get("/contracts").text


def test_pages_ask_little(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund(120_00)
    browser = as_role("support")
    for page, limit in {"/contracts": 2, url(story): 3}.items():
        browser.client.get(page)
        with asked() as sent:
            browser.client.get(page)
        assert len(sent) <= limit, f"{page}:\n" + "\n".join(sent)
