"""The same hostile texts in a real browser: pages, dialogs, swapped rows and toasts. No script of
theirs runs, and the policy has nothing to stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from flask import Flask, Response
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import ConsoleMessage, Page
from sqlalchemy import update
from werkzeug.serving import make_server

from bench.atlas import walked
from bench.browser import Browser
from bench.hostile import MARK, MARKUP
from config import Settings
from tests.security.markup import HOSTILE
from webapp.access.permissions import Role, machine
from webapp.models import StaffSession, db

pytestmark = pytest.mark.browser
WATCH = """
window.xq7 = () => console.error("RAN");
window.alert = window.confirm = window.prompt = () => console.error("RAN");
document.addEventListener("securitypolicyviolation",
  event => console.error(`STOPPED ${event.violatedDirective} ${event.blockedURI}`));
"""
PAGES_MAX = 40


@dataclass
class Watched:
    """A page that writes down what must not happen on it."""

    page: Page
    seen: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if any(word in message.text for word in ("RAN", "STOPPED", "Content Security", MARK)):
            self.seen.append(f"{self.page.url}: {message.text}")


@contextmanager
def served(app: Flask) -> Iterator[str]:
    settings: Settings = app.extensions["kontor.settings"]
    server = make_server(settings.host, settings.port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield settings.url
    server.shutdown()
    thread.join()
    server.server_close()


@contextmanager
def watched(browser: Chromium, app: Flask, url: str, role: Role) -> Iterator[Watched]:
    person = Browser(app, role)
    context = browser.new_context(base_url=url, reduced_motion="reduce")
    context.set_default_timeout(5_000)
    context.add_cookies([{"name": n, "value": v, "url": url} for n, v in person.cookies.items()])
    context.add_init_script(WATCH)
    found = Watched(context.new_page())
    found.page.on("console", found.hear)
    found.page.on("dialog", lambda dialog: (found.seen.append("a dialog"), dialog.dismiss()))
    yield found
    context.close()


def _pages(app: Flask) -> list[str]:
    """One of each kind that shows something hostile to a lead."""
    atlas = walked(app, [Role.LEAD], looks=len(HOSTILE))
    kinds: dict[str, list[str]] = {}
    for endpoint, urls in atlas.urls.items():
        for url in urls:
            answer = atlas.seen.get((Role.LEAD, url))
            if answer and answer.kind == "text/html" and MARK in answer.text:
                kinds.setdefault(endpoint, []).append(url)
    # Two of each: what one group of texts does not break, the other may.
    return [url for urls in kinds.values() for url in (urls[0], urls[-1])][:PAGES_MAX]


def test_nothing_hostile_runs_in_the_browser(browser: Chromium, infested: Flask) -> None:
    pages = list(dict.fromkeys(_pages(infested)))
    assert len(pages) > 15
    with served(infested) as site, watched(browser, infested, site, Role.LEAD) as found:
        for url in pages:
            found.page.goto(url, wait_until="domcontentloaded")
            _open_a_dialog(found.page)
        assert found.seen == []


def _open_a_dialog(page: Page) -> None:
    """The first one on the page, as htmx puts it into the dialog element."""
    link = page.locator("main a[hx-get][hx-target*=dialog]").first
    if link.count() and link.is_visible():
        link.click()
        page.locator("dialog[open] h2").wait_for()


def test_what_is_swapped_in_and_told_does_not_run(browser: Chromium, infested: Flask) -> None:
    """Rows, results, a form that comes back, and the notice of the next page."""
    with served(infested) as site, watched(browser, infested, site, Role.LEAD) as found:
        page = found.page
        page.goto("/payments", wait_until="domcontentloaded")
        for text in HOSTILE:
            page.evaluate(
                """async text => {
                  const token = document.querySelector("input[name=csrf_token]").value;
                  const headers = {"X-CSRF-Token": token};
                  await htmx.ajax("GET", "/search?q=" + encodeURIComponent(text),
                    {target: "main", swap: "innerHTML"});
                  await htmx.ajax("POST", "/style/dialog",
                    {target: "#dialog", swap: "innerHTML", headers, values: {memo: text}});
                }""",
                text,
            )
            with infested.app_context():
                db.session.execute(update(StaffSession).values(notice=text))
                db.session.commit()
            page.goto("/payments", wait_until="domcontentloaded")
            assert MARK in page.locator("body").inner_text() or "31337" in page.content()
        assert found.seen == []


def _unprotected(text: str) -> Response:
    """What an unescaped page without our policy would do."""
    answer = Response(f"<!doctype html><title>x</title><p>{text}</p>", mimetype="text/html")
    answer.headers["Content-Security-Policy"] = "default-src * 'unsafe-inline'"
    return answer


def test_the_browser_sees_what_runs_and_what_is_stopped(browser: Chromium, another: Flask) -> None:
    text = "<img src=x onerror=xq7()>"
    assert text in MARKUP
    another.add_url_rule("/t/runs", "runs", machine(lambda: _unprotected(text)))
    another.add_url_rule("/t/stopped", "stopped", machine(lambda: f"<p>{text}</p>"))
    with served(another) as site, watched(browser, another, site, Role.LEAD) as found:
        found.page.goto("/t/runs")
        assert any("RAN" in one for one in found.seen)
        found.seen.clear()
        found.page.goto("/t/stopped")
        assert any("STOPPED" in one for one in found.seen)
        assert not any("RAN" in one for one in found.seen)
