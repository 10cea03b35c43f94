"""Payments in the browser's eyes: list, filters, export, the page of one payment in every state,
asking now, and the recorded look at an IBAN."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from domain.kernel.ids import HOUSE, derive
from domain.payments import commands as pay
from domain.payments.events import Reason
from domain.readmodels import lists
from domain.work.commands import OpenCase, case_id
from domain.work.events import CaseType
from tests.pages import AsRole, Page, words
from tests.readmodels.kit import Following, Story
from tests.webapp.queries import asked
from tests.webapp.unanswered import unanswered
from webapp.models import Audit, db

PAYOUT = derive("po", HOUSE, "stripe", "trace-1")


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


def url(story: Story) -> str:
    return f"/payments/{story.payment_id}"


def rows(page: Page) -> list[list[str]]:
    return [[words(cell) for cell in row.cssselect("th, td")] for row in page.select("#rows tr")]


def steps(page: Page) -> list[tuple[str, str]]:
    return [
        (str(step.get("class") or ""), words(step.cssselect("strong")[0]))
        for step in page.select(".pipe li")
    ]


def told(page: Page) -> list[str]:
    return [words(line.cssselect("span")[0]) for line in page.select(".line li")]


def amounts(page: Page) -> list[tuple[str, str]]:
    table = page.select("table")[0]
    return [
        (words(row.cssselect("th")[0]), words(row.cssselect(".num")[0]))
        for row in table.cssselect("tbody tr")
    ]


def test_the_empty_list_says_why(kit: Following, as_role: AsRole) -> None:
    page = as_role("support").get("/payments")
    assert "No payments yet" in page.text
    assert not page.select("table")


def test_the_list_shows_and_filters(kit: Following, as_role: AsRole) -> None:
    brandt, kraus = Story(kit), Story(kit, "Otto Kraus")
    browser = as_role("auditor")
    page = browser.get("/payments")
    assert page.h1 == "Payments"
    assert {row[2] for row in rows(page)} == {"Nadia Brandt", "Otto Kraus"}
    assert rows(page)[0][5:] == ["", "238,00 €"]
    assert words(page.one("#position")) == "1–2 of 2"
    found = browser.get("/payments?customer=krau&status=scheduled&sort=-amount")
    assert [row[2] for row in rows(found)] == ["Otto Kraus"]
    assert found.one("#f-customer").get("value") == "krau"
    assert found.one("#f-status input[checked]").get("value") == "scheduled"
    assert words(found.one("#f-status-chosen")) == "Scheduled"
    assert found.one("input[name=sort]").get("value") == "-amount"
    assert "2 filters are set." in found.text
    link = found.one("#rows th a")
    assert str(link.get("href")) == url(kraus)
    assert rows(browser.get(f"/payments?contract={brandt.contract_number}"))[0][2] == "Nadia Brandt"
    empty = browser.get("/payments?customer=nobody")
    assert "No payment fits these filters" in empty.text
    assert empty.one(".empty a").get("href") == "/payments"


def test_an_unclear_filter_is_a_question(kit: Following, as_role: AsRole) -> None:
    Story(kit)
    page = as_role("support").get("/payments?amount=1.234&from=soon", status=422)
    assert "Do you mean 1.234,00 € or 1,23 €?" in page.text
    assert "This is not a day." in page.text
    assert page.one("#f-amount").get("value") == "1.234"
    assert not page.select("#rows")
    german, iso = (browser_day(as_role, text) for text in ("9.11.2026", "2026-11-09"))
    assert german == iso == "09.11.2026"


def browser_day(as_role: AsRole, text: str) -> str | None:
    return as_role("support").get(f"/payments?from={text}").one("#f-from").get("value")


def test_an_address_nobody_gave_out(kit: Following, as_role: AsRole) -> None:
    browser = as_role("support")
    for query in ("sort=nonsense", "at=nonsense", "at=e30", "at=%00"):
        browser.get(f"/payments?{query}", status=400)
    browser.get("/payments?contract=%00&customer=%00&reference=%27")


def test_more_comes_behind_what_is_shown(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE", 2)
    for name in ("Ida", "Ada", "Eva"):
        Story(kit, name)
    browser = as_role("support")
    page = browser.get("/payments?sort=customer")
    assert [row[2] for row in rows(page)] == ["Ada", "Eva"]
    assert words(page.one("#position")) == "1–2 of 3"
    more = browser.get(str(page.one("#more a[rel=next]").get("href")))
    assert [row[2] for row in rows(more)] == ["Ida"]
    assert words(more.one("#position")) == "3–3 of 3"
    back = browser.get(str(more.one("#more a[rel=prev]").get("href")))
    assert rows(back) == rows(page)


def test_typing_leaves_a_clean_address(kit: Following, as_role: AsRole) -> None:
    Story(kit)
    headers = {"HX-Request": "true", "HX-Request-Type": "full"}
    answer = as_role("support").client.get("/payments?customer=bra&status=", headers=headers)
    assert "Nadia Brandt" in answer.get_data(as_text=True)
    assert answer.headers["HX-Replace-Url"] == "/payments?customer=bra"


def test_a_scheduled_payment(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    page = as_role("support").get(url(story))
    assert page.h1 == f"Payment {story.payment_id[:14]}"
    assert words(page.one(".amount")) == "238,00 €"
    assert steps(page)[:2] == [("done", "Scheduled"), ("now", "Announced")]
    assert [name for _, name in steps(page)] == [
        "Scheduled",
        "Announced",
        "Submitted",
        "Confirmed",
        "Paid out",
        "On our account",
    ]
    assert "This payment is not confirmed yet" in words(page.one(".why"))
    assert amounts(page)[0] == ("Premium, December 2026", "238,00 €")
    assert "DE** **** 3000" in page.text
    assert "DE89" not in page.html
    assert any("Invoice" in line and "issued" in line for line in told(page))
    assert not page.select("form[action$='/check']")


def test_confirmed_paid_out_and_on_our_account_are_three_things(
    kit: Following, as_role: AsRole
) -> None:
    story = Story(kit)
    story.confirmed()
    browser = as_role("support")
    assert steps(browser.get(url(story)))[3:] == [
        ("done", "Confirmed"),
        ("now", "Paid out"),
        ("", "On our account"),
    ]
    kit.do(
        pay.MarkPaymentPaidOut(
            by="flow:settling",
            payment_id=story.payment_id,
            reference="pi_1",
            payout_id=PAYOUT,
            fee=35,
        )
    )
    kit.settle()
    page = browser.get(url(story))
    assert steps(page)[4:] == [("done", "Paid out"), ("now", "On our account")]
    assert amounts(page)[1:] == [("Fee of the provider", "−0,35 €"), ("Net", "237,65 €")]
    kit.do(pay.SettlePayment(by="flow:settling", payment_id=story.payment_id, payout_id=PAYOUT))
    kit.settle()
    page = browser.get(url(story))
    assert {state for state, _ in steps(page)} == {"done"}
    assert told(page)[0] == "The payout stands on our bank statement"
    assert "26.01.2027" in page.text


def test_refunds_stand_on_their_payment(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund(49_90)
    waiting = story.refund(120_00, Reason.GOODWILL)
    page = as_role("support").get(url(story))
    assert amounts(page)[1][1] == "−49,90 €"
    assert amounts(page)[-1] == ("Net, once everything is booked", "68,10 €")
    chips = [words(chip) for chip in page.select(".head .chip")]
    assert chips == ["Confirmed", "Refund waits for approval", "Refund on its way"]
    link = page.select(f"a[href='/refunds/{waiting}']")
    assert link
    lines = told(page)
    assert any(line.startswith("Refund of 49,90 € requested (premium reduction)") for line in lines)
    assert not any("set aside" in line for line in lines)
    assert "The bicycle was sold." in page.text
    assert page.one("a[href$='/refund']").get("hx-target") == "#dialog"


def test_failed_and_returned_say_what_to_do(kit: Following, as_role: AsRole) -> None:
    failed, returned = Story(kit), Story(kit, "Otto Kraus")
    failed.rendered()
    failed.failed()
    browser = as_role("support")
    page = browser.get(url(failed))
    assert steps(page)[-1] == ("late", "Failed")
    assert "The account is closed. Code AC04" in words(page.one(".note.bad"))
    assert "Ask the customer for another account" in words(page.one(".note.bad"))
    assert amounts(page) == [("Premium, December 2026", "0,00 €"), ("Net", "0,00 €")]
    returned.confirmed()
    returned.returned()
    page = browser.get(url(returned))
    assert steps(page)[-1] == ("late", "Returned")
    assert amounts(page)[1:] == [
        ("Returned", "−238,00 €"),
        ("Fee of the return", "−7,50 €"),
        ("Net", "−7,50 €"),
    ]
    assert "the customer has the money back already" in words(page.one(".why"))


def test_an_unknown_outcome_is_shown_and_asked_about(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.rendered()
    kit.do(
        pay.SubmitPayment(
            by="worker", payment_id=story.payment_id, mandate_id=story.mandate_id, key="k"
        )
    )
    kit.do(pay.RecordPaymentUnknown(by="worker", payment_id=story.payment_id, why="timeout"))
    unanswered(kit, story.payment_id, next_s=150)
    page = as_role("support").get(url(story))
    assert ("late", "Confirmed") in steps(page)
    assert "no answer since" in page.text
    note = words(page.one(".note.warn"))
    assert "The provider has not answered (timeout)." in note
    assert "turned to 1 time so far, the sending included; the next look is in 3 minutes" in note
    assert f"look for {story.payment_id} at the provider" in note
    assert "close the case in Work with a remark" in note
    browser = as_role("support")
    poll = str(page.one("#payment").get("hx-get"))
    browser.get(poll, htmx="div#payment", status=304)
    browser.post(f"{url(story)}/check")
    page = browser.get(poll, htmx="div#payment")
    assert "the next look is due now." in words(page.one(".note.warn"))
    toast = words(browser.get(url(story)).one(".toast"))
    assert toast == "Asked now. If Stripe knows nothing of it, this stays unknown."
    with asked() as sent:
        browser.get(url(story))
    assert len(sent) <= 3
    assert page.select("form[action$='/check']")
    assert not as_role("auditor").get(url(story)).select("form[action$='/check']")


def test_check_now_asks_once_there_is_a_reference(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.rendered()
    story.submitted()
    browser = as_role("support")
    answer = browser.post(f"{url(story)}/check")
    assert answer.location == url(story)
    toast = words(browser.get(url(story)).one(".toast"))
    assert toast == "Asked now. The page shows the answer as soon as it is recorded."
    with kit.kontor.read() as connection:
        asked_about = connection.execute("SELECT object_id, verdict FROM inbox").fetchall()
    assert asked_about == [("pi_1", "verified")]
    kit.do(pay.ConfirmPayment(by="stripe", payment_id=story.payment_id, reference="pi_1"))
    kit.settle()
    browser.post(f"{url(story)}/check")
    assert "Nothing was asked" in words(browser.get(url(story)).one(".toast"))


def test_polling_is_quiet_until_something_happens(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    browser = as_role("support")
    poll = str(browser.get(url(story)).one("#payment").get("hx-get"))
    browser.get(poll, htmx="div#payment", status=304)
    story.rendered()
    page = browser.get(poll, htmx="div#payment")
    assert page.one("#payment").get("hx-get") != poll
    assert "<html" not in page.html
    poll = str(page.one("#payment").get("hx-get"))
    browser.get(poll, htmx="div#payment", status=304)
    fact = CaseType.PAYMENT_FAILED
    kit.do(
        OpenCase(
            by="flow:collecting",
            case_id=case_id(fact, story.payment_id),
            case_type=fact,
            subject=story.payment_id,
        )
    )
    kit.settle()
    assert "Case opened: a payment failed" in browser.get(poll, htmx="div#payment").text


def test_a_full_iban_is_looked_at_by_name(app: Flask, kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    page = as_role("finance").get(f"{url(story)}/iban", htmx="dialog#dialog")
    assert "DE89 3704 0044 0532 0130 00" in page.text
    as_role("support").get(f"{url(story)}/iban", status=403)
    assert not as_role("support").get(url(story)).select("a[href$='/iban']")
    with app.app_context():
        trail = [(row.act, row.outcome, row.subject) for row in db.session.query(Audit)]
    assert (("iban.full", "allowed", story.mandate_id)) in trail
    assert ("iban.full", "denied", story.payment_id) in trail


def test_there_is_no_such_payment(kit: Following, as_role: AsRole) -> None:
    browser, unknown = as_role("lead"), derive("pay", HOUSE, "nobody")
    for path in ("", "/refund", "/iban"):
        for payment_id in ("pay_nonsense", "%27", unknown):
            browser.get(f"/payments/{payment_id}{path}", status=404)


def test_pages_ask_little(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(120_00, Reason.GOODWILL)
    browser = as_role("operations")
    pages = {
        "/payments": 2,
        url(story): 3,
        f"/refunds/{refund_id}": 3,
        f"{url(story)}/refund": 3,
        "/search?q=brandt": 1,
    }
    for page, limit in pages.items():
        browser.get(page)
        with asked() as sent:
            browser.get(page)
        assert len(sent) <= limit, f"{page}:\n" + "\n".join(sent)
