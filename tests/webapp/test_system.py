"""The System page: what is late, away or set aside is seen at a glance; whoever may not see it, or
may see no customers, does not."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask

from config import Settings
from domain.operating import health, machinery
from domain.readmodels import stream
from domain.stream import clock, observed
from domain.stream.database import connect
from tests.pages import AsRole, Page, PageClient, log_in_as, words
from tests.readmodels.aside import parked_effect, parked_stream, quarantined
from tests.readmodels.kit import Following, Story
from tests.webapp.queries import asked
from webapp import create_app
from webapp.blueprints.system import since


@pytest.fixture
def kit(app: Flask) -> Following:
    return Following(app.extensions["kontor"])


def facts(page: Page) -> dict[str, str]:
    """Every name on the page with the chip or number beside it."""
    tags = {words(one.cssselect("span")[0]): words(one) for one in page.select(".tags li")}
    pairs = zip(page.select("dl.facts dt"), page.select("dl.facts dd"), strict=True)
    return tags | {words(name): words(value) for name, value in pairs}


def beat(settings: Settings, name: str, seconds_ago: int = 0) -> None:
    with connect(settings.database_url, settings.kek) as connection:
        clock.beat(connection, name)
        connection.execute(
            "UPDATE heartbeat SET at = at - make_interval(secs => %s) WHERE name = %s",
            (seconds_ago, name),
        )


def test_a_healthy_house_is_green(app: Flask, kit: Following, as_role: AsRole) -> None:
    Story(kit).confirmed()
    page = as_role("operations").get("/system")
    told = facts(page)
    assert told["Screens"] == "Screens built"
    assert told["Readers"] == "Readers up to date"
    assert told["Valkey"] == "Valkey answers"
    assert told["Set aside"] == "Set aside nothing"
    assert told["Backup"] == "never yet"
    assert "Stripe" in page.text
    assert f"Position {kit_position(kit)}" in page.text


def kit_position(kit: Following) -> int:
    with kit.kontor.read() as connection:
        row = connection.execute("SELECT last FROM feed_state").fetchone()
    assert row is not None
    return int(row[0])


def test_an_empty_house_says_what_will_be_there(settings: Settings, as_role: AsRole) -> None:
    with connect(settings.database_url, settings.kek) as connection:
        connection.execute("DELETE FROM consumer")
        connection.execute("DROP SCHEMA read CASCADE")
    page = as_role("operations").get("/system")
    assert "No work is waiting" in page.text
    assert "Nobody reads the stream yet" in page.text
    assert "The follower has not built the screens yet" in page.text


def test_silent_processes_stand_out(settings: Settings, as_role: AsRole) -> None:
    beat(settings, "ticker", 3)
    beat(settings, "follower", 40)
    beat(settings, "worker:effects", 40)
    beat(settings, "readyz")
    told = facts(as_role("operations").get("/system"))
    assert told["Ticker"].endswith("s ago")
    assert told["Follower"].startswith("silent for")
    assert told["Worker for orders and notifications"].endswith("s ago")
    assert told["Worker for documents"] == "has not said anything yet"
    assert "readyz" not in told


def test_without_valkey_the_page_stands(
    app: Flask, settings: Settings, kit: Following, as_role: AsRole
) -> None:
    Story(kit)
    as_role("operations")
    lame = create_app(dataclasses.replace(settings, redis_url="redis://127.0.0.1:1/0"))
    page = log_in_as(lame, "jon").get("/system")
    assert facts(page)["Valkey"] == "Valkey away: slower, nothing is lost"
    assert "Valkey is away" in page.text


def test_what_is_set_aside_is_released_from_here(
    app: Flask, kit: Following, as_role: AsRole
) -> None:
    parked_stream(kit)
    Story(kit)
    effect_id = parked_effect(kit.kontor, "render")
    quarantined(kit.kontor)
    browser = as_role("operations")
    page = browser.get("/system")
    assert "things" in facts(page)["Set aside"]
    for act in ("/stream/release-stream", "/stream/release-effect", "/stream/translate-again"):
        assert page.select(f"form[action='{act}']"), act
    browser.post("/stream/release-effect", {"effect_id": str(effect_id)})
    assert not browser.get("/system").select("form[action='/stream/release-effect']")


def test_a_list_that_is_cut_says_so(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machinery, "LISTED_MAX", 1)
    monkeypatch.setattr(stream, "TIMELINE_MAX", 2)
    parked_stream(kit)
    story = Story(kit)
    for _ in range(2):
        quarantined(kit.kontor)
    browser = as_role("operations")
    for path in ("/system", "/stream"):
        page = browser.get(path)
        assert "1 of 2 The oldest; the others follow" in page.text, path
    parked = len(health(kit.kontor).parked_streams)
    assert facts(browser.get("/system"))["Set aside"] == f"Set aside {parked + 2} things"
    told = browser.get(f"/payments/{story.payment_id}")
    assert "The newest 2 events" in told.text
    assert told.select(f"a[href='/stream?stream={story.payment_id}']")


def test_an_auditor_sees_and_does_not_act(kit: Following, as_role: AsRole) -> None:
    Story(kit)
    parked_effect(kit.kontor, "render")
    page = as_role("auditor").get("/system")
    assert "Parked effects" in page.text
    assert not page.select("main form[method=post]")


def test_an_admin_sees_no_story_of_customers(kit: Following, as_role: AsRole) -> None:
    parked_stream(kit)
    page = as_role("admin").get("/system")
    assert "Something is set aside" in page.text
    assert not page.select("main a[href^='/stream']")
    assert "Parked streams" not in page.text


def test_support_and_strangers_stay_outside(as_role: AsRole, anonymous: PageClient) -> None:
    as_role("support").get("/system", status=403)
    assert "/login" in anonymous.get("/system", status=303).location


def test_checks_and_backups_grow_old(settings: Settings, as_role: AsRole) -> None:
    with connect(settings.database_url, settings.kek) as connection:
        observed.observe(connection, observed.CHECK, {"numbers have no gaps": 2})
        observed.observe(connection, observed.BACKUP, {"bytes": 1})
        connection.execute("UPDATE observation SET at = at - interval '3 days' WHERE kind='backup'")
    page = as_role("operations").get("/system")
    told = facts(page)
    assert told["Check of the invariants"] == "2 violations"
    assert told["Backup"] == "3 days ago"
    assert [words(one) for one in page.select(".chip.bad")] == ["2 violations", "3 days ago"]


def test_the_page_asks_three_queries(app: Flask, kit: Following, as_role: AsRole) -> None:
    Story(kit).confirmed()
    browser = as_role("operations")
    browser.get("/system")
    with asked() as sent:
        browser.get("/system")
    assert len(sent) <= 3, sent


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 days")],
)
def test_ages_in_words(app: Flask, seconds: float, told: str) -> None:
    with app.test_request_context():
        assert since(seconds) == told
