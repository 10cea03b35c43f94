"""Asking for a refund in the browser's eyes: the dialog with its preview, what is refused and why,
confirming what was seen, and racing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from flask import Flask

from domain.payments.events import Reason
from domain.payments.payment import Payment
from domain.payments.refund import Refund
from tests.pages import AsRole, Page, PageClient, words
from tests.readmodels.kit import Following, Story
from webapp.models import Audit, db

POSSIBLE = datetime.fromisoformat("2026-12-09T09:00:00+00:00")
MIA = "staff:stf_mia"


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


def hidden(page: Page) -> dict[str, str]:
    return {
        str(field.get("name")): str(field.get("value"))
        for field in page.select("form[action*='/refund'] input[type=hidden]")
    }


def previewed(browser: PageClient, story: Story, **typed: str) -> dict[str, str]:
    """What the form would send after the preview of these inputs."""
    url = f"/payments/{story.payment_id}/refund"
    form = {**hidden(browser.get(url)), "reason": "goodwill", "note": "", **typed}
    answer = browser.post(url, form, htmx="div#preview", status=200)
    fresh = {
        str(field.get("name")): str(field.get("value"))
        for field in answer.select("input[type=hidden]")
    }
    return {**form, **fresh}


def post(browser: PageClient, story: Story, form: dict[str, str], status: int = 303) -> Page:
    return browser.post(f"/payments/{story.payment_id}/refund", form, status=status)


def refunds(kit: Following, story: Story) -> dict[str, object]:
    state = kit.kontor.state(story.payment_id)
    assert isinstance(state, Payment)
    return dict(state.refunds)


def trail(app: Flask) -> list[tuple[str, str, str | None]]:
    with app.app_context():
        return [(row.act, row.outcome, row.subject) for row in db.session.query(Audit)]


def test_the_dialog_opens_with_what_is_left(kit: Following, story: Story, as_role: AsRole) -> None:
    browser = as_role("support")
    url = f"/payments/{story.payment_id}/refund"
    page = browser.get(url)
    assert page.h1 == f"Refund of payment {story.payment_id[:14]}"
    assert page.one("#amount").get("value") == "238,00"
    assert len(page.select("input[name=reason]")) == 3
    assert not page.select("button.main")
    dialog = browser.get(url, htmx="dialog#dialog")
    assert dialog.one("form").get("hx-post") == url
    assert "<h1" not in dialog.html


def test_the_preview_is_the_deciders_own(kit: Following, story: Story, as_role: AsRole) -> None:
    browser = as_role("support")
    url = f"/payments/{story.payment_id}/refund"
    form = {**hidden(browser.get(url)), "amount": "49,90", "reason": "premium-reduction"}
    page = browser.post(url, form, htmx="div#preview", status=200)
    assert [words(line) for line in page.select("ol li")] == [
        "Refund of 49,90 € requested (premium reduction)",
        "Refund of 49,90 € approved by rule, version 1",
        "49,90 € of the payment set aside for a refund",
    ]
    assert [words(line) for line in page.select("ul li")] == [
        "A worker sends the refund to the provider at once",
        "A correction document over 49,90 € is issued with the next number",
    ]
    assert words(page.one("button.main")) == "Request refund of 49,90 €"
    assert "can still return the debit until 26.01.2027" in page.text
    assert "second person" not in page.text
    assert refunds(kit, story) == {}


def test_above_the_limit_it_says_who_decides_and_why(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    story.refund(60_00, Reason.GOODWILL)
    browser = as_role("support")
    url = f"/payments/{story.payment_id}/refund"
    form = {**hidden(browser.get(url)), "amount": "40,01", "reason": "goodwill"}
    page = browser.post(url, form, htmx="div#preview", status=200)
    assert "refunds of 100,01 € of this payment were requested within 30 days" in page.text
    assert "more than 100,00 €" in page.text
    assert "A case opens in Work: a refund waits for a second person" in page.text
    assert "expires on 23.12.2026 10:00" in page.text


def test_a_confirmed_preview_is_recorded(kit: Following, story: Story, as_role: AsRole) -> None:
    browser = as_role("support")
    form = previewed(browser, story, amount="49.90", note="Sold the bicycle.")
    answer = post(browser, story, form)
    assert answer.location == f"/payments/{story.payment_id}"
    page = browser.get(answer.location)
    assert words(page.one(".toast")) == "Refund requested."
    state = kit.kontor.state(form["refund_id"])
    assert isinstance(state, Refund)
    assert state.requested is not None
    assert (state.requested.amount, state.requested.note, state.requested.requested_by) == (
        49_90,
        "Sold the bicycle.",
        MIA,
    )


def test_in_the_dialog_it_leads_back_to_the_payment(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    browser = as_role("support")
    form = previewed(browser, story, amount="120,00")
    url = f"/payments/{story.payment_id}/refund"
    answer = browser.post(url, form, htmx="dialog#dialog", status=200)
    assert answer.response.headers["HX-Redirect"] == f"/payments/{story.payment_id}"
    page = browser.get(f"/payments/{story.payment_id}")
    assert words(page.one(".toast")) == "Refund requested; a second person decides."


def test_sending_the_form_twice_is_one_refund(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    browser = as_role("support")
    form = previewed(browser, story, amount="49,90")
    assert post(browser, story, form).location == post(browser, story, form).location
    assert list(refunds(kit, story)) == [form["refund_id"]]
    other = {**form, "amount": "50,00"}
    assert "sent before with other content" in post(browser, story, other, status=422).text
    assert len(refunds(kit, story)) == 1


def test_what_was_not_previewed_is_not_recorded(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    browser = as_role("support")
    form = previewed(browser, story, amount="49,90")
    page = post(browser, story, {**form, "amount": "94,90"}, status=409)
    assert "The input is not the one that was previewed." in page.text
    assert words(page.one("button.main")) == "Request refund of 94,90 €"
    assert refunds(kit, story) == {}
    post(browser, story, {**form, **hidden(page), "amount": "94,90"})
    assert len(refunds(kit, story)) == 1
    bare = {"refund_id": form["refund_id"], "amount": "10,00", "reason": "goodwill"}
    assert "was requested already" in post(browser, story, bare, status=409).text
    unseen = hidden(browser.get(f"/payments/{story.payment_id}/refund")) | {"reason": "goodwill"}
    post(browser, story, {**unseen, "amount": "10,00"}, status=409)
    assert len(refunds(kit, story)) == 1


def test_a_world_that_moved_is_shown(kit: Following, story: Story, as_role: AsRole) -> None:
    browser = as_role("support")
    form = previewed(browser, story, amount="60,00")
    story.refund(60_00, Reason.GOODWILL)
    page = post(browser, story, form, status=409)
    note = words(page.one(".note.warn[role=alert]"))
    assert "Nothing was recorded" in note
    assert "60,00 € of the payment set aside for a refund" in note
    assert "A second person has to approve" in page.text
    assert len(refunds(kit, story)) == 1
    post(browser, story, {**form, **hidden(page)})
    assert len(refunds(kit, story)) == 2


def test_the_same_outcome_needs_no_second_look(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    browser = as_role("support")
    form = previewed(browser, story, amount="20,00")
    story.refund(30_00, Reason.GOODWILL)
    post(browser, story, form)
    assert len(refunds(kit, story)) == 2


def test_a_racing_refund_is_refused_with_a_sentence(
    app: Flask, kit: Following, story: Story, as_role: AsRole
) -> None:
    browser = as_role("support")
    form = previewed(browser, story, amount="200,00", note="kept")
    story.refund(100_00, Reason.GOODWILL)
    page = post(browser, story, form, status=422)
    assert "200,00 € is more than the 138,00 € that are left of this payment." in page.text
    assert not page.select("button.main")
    assert page.one("#amount").get("value") == "200,00"
    assert words(page.one("#note")) == "kept"
    assert ("refund.request", "refused", story.payment_id) in trail(app)
    assert len(refunds(kit, story)) == 1


UNCLEAR: tuple[tuple[dict[str, str], str], ...] = (
    ({"amount": "1.234"}, "Do you mean 1.234,00 € or 1,23 €?"),
    ({"amount": "0"}, "The amount has to be more than 0,00 €."),
    ({"amount": "-5"}, "Enter an amount without a minus sign."),
    ({"amount": ""}, "Enter an amount."),
    ({"amount": "much"}, "This is not an amount."),
    ({"amount": "10", "reason": ""}, "Choose a reason."),
    ({"amount": "10", "reason": "bribe"}, "Choose a reason."),
    ({"amount": "10", "note": "x" * 2001}, "Write a shorter note."),
)


def test_unclear_input_is_asked_about_and_kept(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    browser = as_role("support")
    form = hidden(browser.get(f"/payments/{story.payment_id}/refund"))
    for typed, said in UNCLEAR:
        page = post(browser, story, {"reason": "goodwill", **form, **typed}, status=422)
        assert said in words(page.one(".errors")), typed
        assert page.one("#amount").get("value") == typed["amount"]
    assert refunds(kit, story) == {}


def test_the_preview_of_an_unclear_amount_says_it_once_at_the_field(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    browser = as_role("support")
    url = f"/payments/{story.payment_id}/refund"
    form = {**hidden(browser.get(url)), "reason": "goodwill"}
    said, bad = "This is not an amount. Write it like 49,90.", {**form, "amount": "much"}
    typing = browser.post(url, bad, htmx="div#preview", status=422)
    assert typing.text.count(said) == 1
    assert words(typing.one("#amount-error[hx-swap-oob=innerHTML]")) == said
    page = browser.post(url, {**bad, "preview": "1"}, status=422)
    assert page.text.count(said) == 1
    assert words(page.one(".field #amount-error")) == said
    good = browser.post(url, {**form, "amount": "10"}, htmx="div#preview", status=200)
    assert words(good.one("#amount-error")) == ""
    unsure = {**hidden(browser.get(url)), "amount": "10"}
    assert "Choose a reason" in browser.post(url, unsure, htmx="div#preview", status=200).text


def test_a_note_with_control_signs_is_recorded_without_them(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    browser = as_role("support")
    form = previewed(browser, story, amount="49,90", note="a\x00b\x07\r\nc \u200d")
    post(browser, story, form)
    state = kit.kontor.state(form["refund_id"])
    assert isinstance(state, Refund)
    assert state.requested is not None
    assert state.requested.note == "ab\nc \u200d"
    assert browser.get(f"/refunds/{form['refund_id']}").h1


def test_too_much_is_refused_by_the_decider(kit: Following, story: Story, as_role: AsRole) -> None:
    browser = as_role("support")
    url = f"/payments/{story.payment_id}/refund"
    form = {**hidden(browser.get(url)), "amount": "238,01", "reason": "overpayment"}
    page = browser.post(url, form, htmx="div#preview", status=200)
    assert "238,01 € is more than the 238,00 € that are left" in page.text
    assert not page.select("button.main")


def test_the_first_possible_day(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    story.confirmed()
    url, browser = f"/payments/{story.payment_id}/refund", as_role("support")
    kit.at(datetime.fromisoformat("2026-12-08T22:59:59+00:00"))
    page = browser.get(url)
    assert (
        "until 08.12.2026 without being asked. A refund is possible from 09.12.2026." in page.text
    )
    assert not page.select("footer button")
    assert "possible from 09.12.2026" in words(browser.get(url.removesuffix("/refund")).one(".why"))
    kit.at(datetime.fromisoformat("2026-12-08T23:00:00+00:00"))
    assert "Choose a reason to see" in browser.get(url).text


def test_an_unconfirmed_payment_says_so(kit: Following, as_role: AsRole) -> None:
    story = Story(kit)
    page = as_role("lead").get(f"/payments/{story.payment_id}/refund")
    assert "This payment is not confirmed yet" in page.text
    assert not page.select("button.main")


def test_who_may_not_ask(kit: Following, story: Story, as_role: AsRole) -> None:
    url = f"/payments/{story.payment_id}/refund"
    for role in ("auditor", "admin"):
        as_role(role).get(url, status=403)
        as_role(role).post(url, {}, status=403)
    assert not as_role("auditor").get(f"/payments/{story.payment_id}").select("a[href$='/refund']")


def test_a_foreign_refund_id_is_no_form_of_ours(
    kit: Following, story: Story, as_role: AsRole
) -> None:
    browser = as_role("support")
    elsewhere = f"rf_{'7' if story.payment_id[4] != '7' else '6'}{story.payment_id[5:]}"
    for refund_id in ("", "rf_x", story.payment_id, elsewhere):
        form = {"refund_id": refund_id, "amount": "10", "reason": "goodwill"}
        post(browser, story, form, status=400)
