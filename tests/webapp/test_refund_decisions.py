"""The page of a refund and the decisions of a second person: approved as previewed, rejected with a
reason, withdrawn by the requester, and never decided on by oneself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from flask import Flask

from domain.payments import commands as pay
from domain.payments.events import Reason
from domain.payments.payment import Payment
from domain.payments.refund import Refund, Status
from tests.pages import AsRole, PageClient, words
from tests.readmodels.kit import Following, Story
from tests.webapp.test_refunds import MIA, POSSIBLE, post, previewed, trail


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


@pytest.fixture
def story(kit: Following) -> Story:
    told = Story(kit)
    told.confirmed()
    kit.at(POSSIBLE)
    return told


def decide(browser: PageClient, refund_id: str, act: str) -> dict[str, str]:
    page = browser.get(f"/refunds/{refund_id}/{act}")
    return {
        str(field.get("name")): str(field.get("value"))
        for field in page.select(f"form[action$='/{act}'] input[type=hidden]")
    }


def status(kit: Following, refund_id: str) -> Status:
    state = kit.kontor.state(refund_id)
    assert isinstance(state, Refund)
    return state.status


def test_the_page_of_a_refund(kit: Following, story: Story, as_role: AsRole) -> None:
    refund_id = story.refund(49_90)
    page = as_role("auditor").get(f"/refunds/{refund_id}")
    assert page.h1 == f"Refund {refund_id[:13]}"
    steps = [
        (s.get("class") or "", words(s.cssselect("strong")[0])) for s in page.select(".pipe li")
    ]
    assert steps[:3] == [("done", "Requested"), ("done", "Approved"), ("now", "Submitted")]
    assert "KOR-" in page.text
    assert "Mia" in page.text
    assert not page.select(".actions a, .actions form")
    poll = str(page.one("#refund").get("hx-get"))
    as_role("auditor").get(poll, htmx="div#refund", status=304)
    as_role("auditor").get("/refunds/rf_nonsense", status=404)


def test_a_second_person_approves_what_was_previewed(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    refund_id = story.refund(120_00, Reason.GOODWILL)
    browser = as_role("operations")
    page = browser.get(f"/refunds/{refund_id}")
    assert page.select("a[href$='/approve']")
    form = decide(browser, refund_id, "approve")
    assert json.loads(form["versions"]) == {refund_id: 1}
    answer = browser.post(f"/refunds/{refund_id}/approve", form)
    assert answer.location == f"/refunds/{refund_id}"
    assert status(kit, refund_id) is Status.APPROVED
    page = browser.get(answer.location)
    assert words(page.one(".toast")) == "Refund approved."
    assert not page.select(".why"), "only who tries to decide is told that it is decided"
    browser.post(f"/refunds/{refund_id}/approve", form)


def test_approving_without_a_preview_shows_it_first(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    refund_id = story.refund(120_00, Reason.GOODWILL)
    page = as_role("lead").post(f"/refunds/{refund_id}/approve", {}, status=200)
    assert "Refund of 120,00 € approved" in page.text
    assert status(kit, refund_id) is Status.REQUESTED


def test_nobody_decides_on_their_own(
    app: Flask, kit: Following, story: Story, as_role: AsRole
) -> None:
    browser = as_role("operations")
    form = previewed(browser, story, amount="150,00")
    post(browser, story, form)
    refund_id = form["refund_id"]
    page = browser.get(f"/refunds/{refund_id}")
    assert "Someone else has to decide on a refund that you requested." in page.text
    assert not page.select("a[href$='/approve'], a[href$='/reject']")
    assert page.select("a[href$='/withdraw']")
    own = browser.get(f"/refunds/{refund_id}/approve")
    assert "Someone else has to decide" in own.text
    assert not own.select("button.main")
    browser.post(f"/refunds/{refund_id}/approve", {"digest": "x"}, status=422)
    assert ("refund.approve", "refused", refund_id) in trail(app)
    assert status(kit, refund_id) is Status.REQUESTED


def test_rejecting_needs_a_reason(kit: Following, story: Story, as_role: AsRole) -> None:
    refund_id = story.refund(120_00, Reason.GOODWILL)
    browser = as_role("finance")
    form = decide(browser, refund_id, "reject")
    page = browser.post(f"/refunds/{refund_id}/reject", {**form, "remark": " "}, status=422)
    assert "Say why" in words(page.one(".errors"))
    browser.post(f"/refunds/{refund_id}/reject", {**form, "remark": "Paid twice already."})
    assert status(kit, refund_id) is Status.REJECTED
    page = as_role("support").get(f"/refunds/{refund_id}")
    assert "Paid twice already." in page.text
    assert page.select(".pipe .late")
    state = kit.kontor.state(story.payment_id)
    assert isinstance(state, Payment)
    assert state.reserved == 0


def test_the_requester_withdraws(kit: Following, story: Story, as_role: AsRole) -> None:
    refund_id = story.refund(120_00, Reason.GOODWILL)
    other = as_role("lead")
    page = other.get(f"/refunds/{refund_id}")
    assert "Only the person who requested a refund can withdraw it." in page.text
    other.post(f"/refunds/{refund_id}/withdraw", decide(other, refund_id, "withdraw"), status=422)
    browser = as_role("support")
    browser.post(f"/refunds/{refund_id}/withdraw", decide(browser, refund_id, "withdraw"))
    assert status(kit, refund_id) is Status.WITHDRAWN


def test_support_does_not_decide(kit: Following, story: Story, as_role: AsRole) -> None:
    refund_id = story.refund(120_00, Reason.GOODWILL)
    browser = as_role("support")
    for act in ("approve", "reject"):
        browser.get(f"/refunds/{refund_id}/{act}", status=403)
        browser.post(f"/refunds/{refund_id}/{act}", {}, status=403)


def test_deciding_too_late_says_what_happened(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    refund_id = story.refund(120_00, Reason.GOODWILL)
    browser = as_role("operations")
    form = decide(browser, refund_id, "approve")
    kit.do(pay.WithdrawRefund(by=MIA, refund_id=refund_id, payment_id=story.payment_id))
    page = browser.post(f"/refunds/{refund_id}/approve", form, status=422)
    assert "cannot be decided on any more: its state is “Withdrawn”" in page.text


def test_a_refund_in_flight_can_be_asked_about(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    refund_id = story.refund(49_90, Reason.GOODWILL)
    story.refund_sent(refund_id)
    browser = as_role("support")
    assert browser.get(f"/refunds/{refund_id}").select("form[action$='/check']")
    browser.post(f"/refunds/{refund_id}/check")
    story.refund_failed(refund_id)
    page = browser.get(f"/refunds/{refund_id}")
    assert "The account is closed." in words(page.one(".note.bad"))
    assert re.search(r"The refund failed: The account is closed \(account_closed\)", page.text)
