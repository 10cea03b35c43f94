"""The stream in the browser's eyes: every event with its place, cause and consequences; filters;
and what was set aside, released by those who may."""

from __future__ import annotations

import pytest
from flask import Flask

from domain import operating
from domain.readmodels import lists, paging
from domain.readmodels.lists import Order
from domain.readmodels.registry import READMODELS
from domain.readmodels.stream import EVENTS
from domain.registry import FLOWS
from tests.pages import AsRole, words
from tests.readmodels.aside import parked_effect, parked_stream, quarantined, repair
from tests.readmodels.kit import Following, Story
from webapp.access.permissions import ACTS, Role
from webapp.models import Audit, db

READERS = len(READMODELS) + len(FLOWS)


@pytest.fixture
def kit(app: Flask) -> Following:
    """Follows when it is told to."""
    return Following(app.extensions["kontor"])


def position_of(kit: Following, wire: str) -> int:
    with kit.kontor.read() as connection:
        newest = Order(sort="position", down=True)
        return paging.page(connection, EVENTS, {"type": wire}, newest).rows[0].feed_position


def audited(app: Flask, act: str) -> list[tuple[str, str]]:
    with app.app_context():
        rows = db.session.query(Audit).filter_by(act=act).order_by(Audit.id)
        return [(row.outcome, row.subject or "") for row in rows]


def test_every_event_is_a_row_with_its_gapless_position(kit: Following, as_role: AsRole) -> None:
    Story(kit).confirmed()
    page = as_role(Role.AUDITOR).get("/stream")
    shown = [words(cell) for cell in page.select("tbody th[scope=row]")]
    assert shown == [f"#{n}" for n in range(len(shown), 0, -1)]
    assert len(shown) == operating.health(kit.kontor).last_position
    assert "Nothing is set aside" in page.text
    assert len(page.select(".tags .chip")) >= READERS


def test_an_empty_stream_says_so(kit: Following, as_role: AsRole) -> None:
    assert "Nothing has happened yet" in as_role(Role.LEAD).get("/stream").text


@pytest.mark.parametrize(
    "query",
    [
        "type=payment-confirmed",
        "service=payments",
        "actor=worker",
        "until=%233",
        "stream={stream}",
        "customer={customer}",
    ],
)
def test_filters_are_in_the_address(kit: Following, as_role: AsRole, query: str) -> None:
    story = Story(kit)
    story.confirmed()
    Story(kit)
    whole = operating.health(kit.kontor).last_position
    client = as_role(Role.LEAD)
    chosen = query.format(stream=story.payment_id, customer=story.customer_id)
    rows = client.get(f"/stream?{chosen}").select("tbody tr")
    assert 0 < len(rows) < whole


def test_no_event_fits(kit: Following, as_role: AsRole) -> None:
    Story(kit)
    page = as_role(Role.LEAD).get("/stream?type=refund-settled")
    assert "No event fits these filters" in page.text
    assert page.one('.empty a[href="/stream"]') is not None


def test_more_goes_on_behind_the_last_row(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "PAGE", 5)
    Story(kit)
    whole = operating.health(kit.kontor).last_position
    client = as_role(Role.LEAD)
    url, seen = "/stream?service=&type=", []
    while url:
        page = client.get(url)
        seen += [words(cell) for cell in page.select("tbody th[scope=row]")]
        links = page.select("#more a[rel=next]")
        url = str(links[0].get("href")) if links else ""
    assert seen == [f"#{n}" for n in range(whole, 0, -1)]


def test_an_event_tells_its_causes_and_what_it_led_to(kit: Following, as_role: AsRole) -> None:
    Story(kit)
    client = as_role(Role.SUPPORT)
    billed = client.get(f"/stream/{position_of(kit, 'instalment-billed')}")
    led_to = words(billed.select("section.card")[1])
    assert "No event came before it" in billed.text
    assert "sets going: make a PDF" in led_to
    raised = position_of(kit, "receivable-raised")
    assert f"#{raised} " in led_to
    scheduled = client.get(f"/stream/{position_of(kit, 'payment-scheduled')}")
    causes = [words(one) for one in scheduled.select("ol.tree li")]
    assert len(causes) == 2
    assert causes[-1].startswith(f"#{raised} ")


def test_the_content_of_an_event_hides_the_account_number(kit: Following, as_role: AsRole) -> None:
    Story(kit)
    page = as_role(Role.FINANCE).get(f"/stream/{position_of(kit, 'mandate-registered')}")
    content = words(page.one("pre"))
    assert "DE89370400440532013000" not in page.html
    assert "3000" in content
    assert '"reference"' in content


@pytest.mark.parametrize("position", ["999999", "0", "99999999999999999999999"])
def test_a_position_nobody_reached_is_not_there(
    kit: Following, as_role: AsRole, position: str
) -> None:
    Story(kit)
    as_role(Role.LEAD).get(f"/stream/{position}", status=404)


@pytest.mark.parametrize(
    "url",
    [
        "/stream?stream=%00&actor=%ff&until=99999999999999999999999",
        "/stream?service=&customer=%F0%9F%98%80&stream='%20OR%20true--",
    ],
)
def test_strange_filters_find_nothing_or_are_ignored(
    kit: Following, as_role: AsRole, url: str
) -> None:
    Story(kit)
    client = as_role(Role.LEAD)
    client.get(url)
    client.get("/stream?type='%20OR%20true--", status=422)


def test_a_parked_stream_is_released(kit: Following, as_role: AsRole, app: Flask) -> None:
    customer = parked_stream(kit)
    client = as_role(Role.OPERATIONS)
    page = client.get("/stream")
    assert len(page.select('form[action="/stream/release-stream"]')) == READERS
    form = {"consumer": "stream", "stream": customer}
    client.post("/stream/release-stream", form)
    assert "still stumbles over this stream" in client.get("/stream").text
    repair(kit, customer)
    client.post("/stream/release-stream", form)
    page = client.get("/stream")
    assert "Released: stream follows the stream again." in page.text
    assert len(page.select('form[action="/stream/release-stream"]')) == READERS - 1
    client.post("/stream/release-stream", form)
    assert "somebody else was faster" in client.get("/stream").text
    assert audited(app, "stream.release") == [("refused", customer), ("allowed", customer)]


def test_a_parked_effect_is_released(kit: Following, as_role: AsRole, app: Flask) -> None:
    Story(kit)
    effect_id = parked_effect(kit.kontor, "render")
    client = as_role(Role.SUPPORT)
    assert "the template is broken" in client.get("/stream").text
    client.post("/stream/release-effect", {"effect_id": str(effect_id)})
    assert not operating.health(kit.kontor).parked_effects
    assert audited(app, "effect.release") == [("allowed", operating.effect_subject(effect_id))]
    client.post("/stream/release-effect", {"effect_id": "nonsense"}, status=404)


def test_a_notification_is_looked_at_and_translated_again(
    kit: Following, as_role: AsRole, app: Flask
) -> None:
    body = b'{"id": "evt_1", "note": "<script>alert(1)</script>"}' + b"\xff"
    notification = quarantined(kit.kontor, body=body)
    client = as_role(Role.OPERATIONS)
    url = f"/stream/notifications/stripe/{notification}"
    link = client.get("/stream").one(f'a[href="{url}"]')
    assert link is not None
    page = client.get(url)
    assert "<script>alert(1)</script>" in words(page.one("pre"))
    assert "\\xff" in words(page.one("pre"))
    assert "User-Agent" in page.text
    assert client.get(url, htmx="dialog#dialog").one("#dialog-title") is not None
    subject = operating.notification_subject("stripe", notification)
    assert audited(app, "inbox.body") == [("allowed", subject)] * 2
    client.post("/stream/translate-again", {"provider": "stripe", "id": notification})
    assert not operating.health(kit.kontor).quarantined
    for nobody in ("evt_nobody", "x" * 400):
        client.get(f"/stream/notifications/stripe/{nobody}", status=404)


def test_account_numbers_in_a_body_are_for_those_who_may(
    kit: Following, as_role: AsRole, app: Flask
) -> None:
    body = b"<IBAN>DE89370400440532013000</IBAN>"
    url = f"/stream/notifications/stripe/{quarantined(kit.kontor, body=body)}"
    hidden = as_role(Role.SUPPORT).get(url)
    assert "DE89370400440532013000" not in hidden.html
    assert "DE**" in hidden.text
    assert audited(app, "iban.full") == []
    assert "DE89370400440532013000" in as_role(Role.FINANCE).get(url).text
    assert len(audited(app, "iban.full")) == 1


@pytest.mark.parametrize("role", list(Role))
def test_who_may_release(kit: Following, as_role: AsRole, app: Flask, role: Role) -> None:
    customer, notification = parked_stream(kit), quarantined(kit.kontor)
    client = as_role(role)
    may_read = role in ACTS["stream.read"].roles
    page = client.get("/stream", status=200 if may_read else 403)
    may = role in ACTS["stream.release"].roles
    assert bool(page.select('form[action="/stream/release-stream"]')) is (may and may_read)
    form = {"consumer": "stream", "stream": customer}
    client.post("/stream/release-stream", form, status=303 if may else 403)
    client.get(f"/stream/notifications/stripe/{notification}", status=200 if may_read else 403)
    if not may:
        assert audited(app, "stream.release")[0][0] == "denied"
