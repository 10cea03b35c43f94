"""Work in the browser's eyes: what is listed, what it proposes to whom, what people's acts record,
and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask import Flask

from domain.kernel.ids import HOUSE, derive
from domain.payments import commands as pay
from domain.readmodels import lists
from domain.work.commands import OpenCase, case_id
from domain.work.events import CaseType
from tests.pages import AsRole, Page, words
from tests.readmodels.kit import BEGIN, Following, Story
from tests.webapp.queries import asked
from tests.webapp.unanswered import unanswered
from webapp import navigation
from webapp.models import Audit, db
from webapp.showing.proposals import KINDS

TODAY = BEGIN.date()


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


def open_case(
    kit: Following,
    case_type: CaseType = CaseType.PAYOUT_DIFFERS,
    name: str = "a",
    details: dict[str, str] | None = None,
) -> str:
    subject = derive("po", HOUSE, name)
    case = case_id(case_type, subject)
    kit.do(
        OpenCase(
            by="flow:settling",
            case_id=case,
            case_type=case_type,
            subject=subject,
            amount=7_50,
            until=TODAY,
            details=details or {"listed": "10000", "arrived": "9250"},
        )
    )
    kit.settle()
    return case


def form(page: Page, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts there."""
    found = page.one(f'form[action="{action}"]')
    return {
        str(field.get("name")): str(field.get("value"))
        for field in found.cssselect("input[type=hidden]")
    }


def refusals(app: Flask) -> list[tuple[str, str | None]]:
    with app.app_context():
        rows = db.session.query(Audit).filter_by(outcome="refused").order_by(Audit.id)
        return [(row.act, row.subject) for row in rows]


def test_nothing_to_do_says_so(kit: Following, as_role: AsRole) -> None:
    page = as_role("support").get("/work")
    assert page.h1 == "Work"
    assert "0 things need a person." in page.text
    assert "Nothing needs you" in page.text
    for tab in ("mine", "late", "snoozed", "closed"):
        assert as_role("support").get(f"/work?tab={tab}").select(".empty")


def test_it_is_the_first_page_after_the_login(kit: Following, as_role: AsRole) -> None:
    assert as_role("support").get("/", status=303).location == "/work"


def badge(page: Page) -> str:
    """The number beside Work; the Menu button of a narrow window says the same."""
    found = {one.findtext("span") or "" for one in page.select(".count")}
    (number,) = found or {""}
    return number


def test_the_navigation_says_how_much_waits_for_me(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    mia = as_role("support")
    assert badge(mia.get("/account")) == ""
    first, _second = open_case(kit), open_case(kit, name="b")
    tab = next(one for one in mia.get("/work").select(".head nav a") if "All" in words(one))
    assert words(tab) == "All 2"
    assert badge(mia.get("/work")) == badge(mia.get("/work?tab=late")) == "2"
    assert badge(mia.get("/account")) == "2"
    assert badge(mia.get("/nowhere", status=404)) == "", "an error page asks nothing"
    assert badge(as_role("auditor").get("/account")) == "", "who may not act has nothing to do"
    monkeypatch.setattr(navigation, "COUNT_MAX", 1)
    assert badge(mia.get("/account")) == badge(mia.get("/work")) == "1+"
    mia.post(f"/work/{first}/snooze", {"until": "2026-11-09", "command_id": str(uuid4())})
    assert badge(mia.get("/account")) == badge(mia.get("/work")) == "1"


def test_a_case_says_what_happened_and_what_to_do(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    story.returned("AC04", "account_closed")
    page = as_role("support").get("/work")
    assert "1 thing needs a person." in page.text
    row = page.one("tbody tr")
    cells = [words(cell) for cell in row.cssselect("th, td")]
    assert cells[1:4] == [
        "Payment Returned: The account is closed (AC04)",
        "Ask for another account",
        "Nadia Brandt",
    ]
    assert cells[4].startswith("238,00")
    assert "04.12.2026" in cells[5]
    shown = as_role("support").get(str(row.cssselect("th a")[0].get("href")))
    assert shown.h1 == "Returned: The account is closed (AC04)"
    assert "Ask the customer for another account" in shown.text
    assert story.contract_number in shown.text
    assert "account_closed" in shown.text
    assert "Case opened" in shown.text


def test_every_case_type_has_words_and_a_page(kit: Following, as_role: AsRole) -> None:
    assert set(KINDS) == set(CaseType)
    details = {
        "code": "AC04",
        "raw_code": "account_closed",
        "listed": "10000",
        "arrived": "9250",
        "consumer": "payments",
        "provider": "stripe",
        "kind": "submit_refund",
        "stream": "rf_x",
        "reference": "txn_1",
    }
    mia = as_role("support")
    for case_type in CaseType:
        case = open_case(kit, case_type, str(case_type), details)
        page = mia.get(f"/work/{case}")
        assert page.h1
        assert words(page.one("#todo")) == "What to do"
        if case_type is not CaseType.REFUND_APPROVAL:
            assert page.select(f'a[href="/work/{case}/close"]')
    rows = mia.get("/work").select("tbody tr")
    assert len(rows) == len(CaseType)
    assert all(row.cssselect("[data-act]") for row in rows)


def test_taking_it_makes_it_yours_once(kit: Following, as_role: AsRole) -> None:
    case = open_case(kit)
    mia = as_role("support")
    url = f"/work/{case}/take"
    sent = form(mia.get(f"/work/{case}"), url)
    back = mia.post(url, sent)
    assert back.location == f"/work/{case}"
    shown = mia.get(back.location)
    assert "The case is yours." in shown.text
    assert not shown.select(f'form[action="{url}"]')
    mia.post(url, sent)
    assert shown.text.count("Case taken") == 1
    assert words(mia.get("/work?tab=mine").select("nav .button")[0]) == "Mine 1"
    jon = as_role("operations").get("/work?tab=mine")
    assert "Nothing is yours" in jon.text
    assert "Mia Aydin" in as_role("operations").get("/work").one("tbody").text_content()


def test_putting_it_off_hides_it_until_its_day(kit: Following, as_role: AsRole) -> None:
    case = open_case(kit)
    mia = as_role("support")
    url = f"/work/{case}/snooze"
    dialog = mia.get(url, htmx="dialog#dialog")
    assert dialog.one("input.day").get("value") == "03.11.2026"
    wrong = mia.post(url, {**form(dialog, url), "until": "soon"}, htmx="dialog#dialog", status=422)
    assert "This is not a day. Write it like 09.11.2026." in wrong.text
    past = mia.post(
        url, {**form(dialog, url), "until": "2026-11-02"}, htmx="dialog#dialog", status=422
    )
    assert "A case is put off to a day that is still to come." in past.text
    assert past.one("input.day").get("value") == "02.11.2026"
    assert refusals(mia.app) == [("case.act", case)]
    done = mia.post(
        url, {**form(dialog, url), "until": "2026-11-04"}, htmx="dialog#dialog", status=200
    )
    assert done.location == f"/work/{case}"
    assert "Nothing needs you" in mia.get("/work").text
    assert "04.11.2026" in mia.get("/work?tab=snoozed").text


def test_a_note_is_kept_and_its_mistakes_keep_what_was_typed(
    kit: Following, as_role: AsRole
) -> None:
    case = open_case(kit)
    mia = as_role("support")
    url = f"/work/{case}/note"
    page = mia.get(url)
    empty = mia.post(url, {**form(page, url), "note": "  "}, status=422)
    assert "A note needs a text." in empty.text
    long = mia.post(url, {**form(page, url), "note": "x" * 2001}, status=422)
    assert "Write at most 2000 characters." in long.text
    mia.post(url, {**form(page, url), "note": "<b>Asked Stripe.</b>"})
    shown = mia.get(f"/work/{case}")
    assert "Note added <b>Asked Stripe.</b>" in shown.text


def test_closing_needs_a_remark_and_happens_once(kit: Following, as_role: AsRole) -> None:
    case = open_case(kit)
    mia = as_role("support")
    url = f"/work/{case}/close"
    page = mia.get(url)
    refused = mia.post(url, {**form(page, url), "remark": ""}, status=422)
    assert "Closing a case by hand needs a remark" in refused.text
    mia.post(url, {**form(page, url), "remark": "Stripe paid the rest."})
    shown = mia.get(f"/work/{case}")
    assert "Stripe paid the rest." in shown.text
    assert not shown.select(".actions form")
    again = mia.post(url, {"command_id": str(uuid4()), "remark": "Again."}, status=422)
    assert "closed already" in again.text
    closed = mia.get("/work?tab=closed")
    assert "with a remark" in closed.text
    assert not closed.select("tbody input[type=checkbox]")


def test_a_refund_shows_the_whole_request_to_the_second_person(
    kit: Following, as_role: AsRole
) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(120_00, note="The bicycle was sold.")
    case = f"/work/{case_id(CaseType.REFUND_APPROVAL, refund_id)}"
    jon = as_role("operations").get(case)
    for told in ("120,00", "premium reduction", "The bicycle was sold.", "Mia Aydin"):
        assert told in jon.text
    for act in ("approve", "reject"):
        assert jon.select(f'a[href="/refunds/{refund_id}/{act}"]')
    mia = as_role("support").get(case)
    assert "somebody else has to decide" in mia.text
    assert mia.select(f'a[href="/refunds/{refund_id}/withdraw"]')
    assert not mia.select(f'a[href="/refunds/{refund_id}/approve"]')
    uwe = as_role("auditor").get(case)
    assert "Your role does not decide on refunds." in uwe.text
    refused = as_role("operations").post(f"{case}/close", {"remark": "No."}, status=422)
    assert "closes when somebody approves or rejects" in refused.text


def test_a_refund_that_failed_says_why_and_whether_to_try_again(
    kit: Following, as_role: AsRole
) -> None:
    story = Story(kit)
    story.confirmed()
    mia = as_role("support")
    for code, title, advice, act in (
        ("declined", "The customer's bank declined the refund", "Refund once more.", "/refund"),
        ("charge_disputed", "The customer disputed the debit", "Do not refund again", ""),
        ("odd_word", "Unknown code", "Nobody has met this code yet", "/refund"),
    ):
        refund_id = story.refund(10_00)
        story.refund_sent(refund_id)
        story.refund_failed(refund_id, code)
        page = mia.get(f"/work/{case_id(CaseType.REFUND_FAILED, refund_id)}")
        assert page.h1 == f"Failed: {title} ({code})"
        assert advice in page.text
        goes = page.one("#todo ~ p .button.main").get("href")
        assert goes == f"/payments/{story.payment_id}{act}"
        assert title in words(mia.get(f"/refunds/{refund_id}").one(".note.bad"))


def test_an_unknown_outcome_says_how_often_it_was_asked(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(10_00)
    both = {"refund_id": refund_id, "payment_id": story.payment_id}
    kit.do(pay.SubmitRefund(by="worker", key="k", **both))
    kit.do(pay.RecordRefundUnknown(by="worker", why="timeout", **both))
    case = case_id(CaseType.OUTCOME_UNRESOLVED, refund_id)
    unresolved = CaseType.OUTCOME_UNRESOLVED
    kit.do(OpenCase(by="worker", case_id=case, case_type=unresolved, subject=refund_id))
    unanswered(kit, refund_id, next_s=600)
    mia = as_role("support")
    for url in (f"/work/{case}", f"/refunds/{refund_id}"):
        mia.get(url)
        with asked() as sent:
            page = mia.get(url)
        assert len(sent) <= 3
        assert "turned to 1 time so far" in page.text
        assert "the next look is in 10 minutes at the latest." in page.text
        assert f"look for {refund_id} at the provider" in page.text
    mia.post(f"/refunds/{refund_id}/check")
    page = mia.get(f"/work/{case}")
    assert "Asked now. If Stripe knows nothing of it, this stays unknown." in page.text
    assert "the next look is due now." in page.text


def test_bulk_answers_each_row_for_itself(kit: Following, as_role: AsRole) -> None:
    first, second = open_case(kit, name="a"), open_case(kit, name="b")
    mia = as_role("support")
    sent = form(mia.get("/work"), "/work/bulk")
    mia.post(f"/work/{second}/close", {"command_id": str(uuid4()), "remark": "Done."})
    both = {**sent, "id": [first, second, "cs_nothing"], "act": "take"}
    answer = mia.post("/work/bulk", both, htmx="dialog#dialog", status=200)
    results = [words(row.cssselect("td")[0]) for row in answer.select("tbody tr")]
    assert results == ["taken", "not done This case is closed already."]
    assert refusals(mia.app) == [("case.act", second)]
    later = {**sent, "id": [first], "act": "tomorrow"}
    assert "put off" in mia.post("/work/bulk", later, status=200).one("tbody").text_content()
    assert words(mia.get("/work").select("nav .button")[3]) == "Snoozed 1"
    none = mia.post("/work/bulk", sent, status=200)
    assert "Nothing was selected" in none.text


def test_the_list_is_quiet_until_it_changes(kit: Following, as_role: AsRole) -> None:
    case = open_case(kit)
    mia = as_role("support")
    url = str(mia.get("/work").one("#results").get("hx-get"))
    mia.get(url, htmx="div#results", status=304)
    mia.post(f"/work/{case}/take", {"command_id": str(uuid4())})
    fresh = mia.get(url)
    assert "you" in fresh.one("tbody").text_content()
    assert fresh.one("#results").get("hx-get") != url


def test_pages_follow_each_other(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        open_case(kit, name=name)
    monkeypatch.setattr(lists, "PAGE", 2)
    mia = as_role("support")
    first = mia.get("/work")
    assert "1–2 of 3" in first.text
    second = mia.get(str(first.one("#more a[rel=next]").get("href")))
    seen = [row.get("id") for page in (first, second) for row in page.select("tbody tr")]
    assert len(seen) == len(set(seen)) == 3
    assert not second.select("#more a[rel=next]")


def test_who_may_not_act(kit: Following, as_role: AsRole) -> None:
    case = open_case(kit)
    uwe = as_role("auditor")
    page = uwe.get("/work")
    assert not page.select("tbody input[type=checkbox]")
    assert not uwe.get(f"/work/{case}").select(".actions")
    for url in ("take", "snooze", "note", "close"):
        uwe.post(f"/work/{case}/{url}", status=403)
    uwe.post("/work/bulk", {"id": case, "act": "take"}, status=403)
    as_role("admin").get("/work", status=403)


def test_what_does_not_exist(kit: Following, as_role: AsRole) -> None:
    mia = as_role("support")
    for url in ("/work/nothing", "/work/cs_%20", f"/work/{derive('cs', HOUSE, 'none')}"):
        mia.get(url, status=404)
        mia.get(f"{url}/close", status=404)
    mia.post("/work/nothing/take", status=404)
    mia.post(f"/work/{derive('cs', HOUSE, 'none')}/take", status=422)
