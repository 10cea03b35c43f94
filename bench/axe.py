"""axe-core on every screen of the demo insurer and on the states that people bring about, in both
themes, in a wide and a narrow window, through the real web server. It prints what it finds."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from flask import Flask
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, sync_playwright

from bench import report
from bench.atlas import Atlas, family, match, tree_of, walked
from bench.browser import EVERYBODY, STRANGER, Browser
from bench.house import opened
from config import ROOT, Settings
from webapp import create_app
from webapp.access import security

CHROMIUM: Final = "/usr/bin/chromium"
AXE: Final = ROOT / "tests" / "ui" / "vendor" / "axe.min.js"
RUN: Final = """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa",
  "wcag22aa", "best-practice"], resultTypes: ["violations"]})"""
# What is folded is looked at, too; a list of choices lies over the page and is a state of its own.
UNFOLD: Final = "for (const one of document.querySelectorAll('details:not(.pick)')) one.open = true"
THEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
WIDTHS: Final = (1360, 400)
HEIGHT: Final = 900
TIMEOUT_MS: Final = 10_000
SHOWN: Final = 40
LIMITS: Final = {"violations": "= 0"}
Steps = Callable[[Page], object]


def _nothing(_page: Page) -> None:
    """The state is in the address."""


def _click(selector: str, then: str) -> Steps:
    """What opens by htmx is waited for."""

    def steps(page: Page) -> None:
        page.locator(selector).first.click()
        page.locator(then).first.wait_for()

    return steps


def _keys(page: Page) -> None:
    page.keyboard.press("?")
    page.locator("#keys").wait_for()


def _twice(page: Page) -> None:
    """A form that comes back with its mistakes."""
    _click("[href$='/style/dialog'][hx-get]", "dialog[open] footer button")(page)
    _click("dialog[open] footer button.main", "dialog[open] .errors")(page)


def _wrong_login(page: Page) -> None:
    page.locator("#login").fill("nobody")
    page.locator("#password").fill("wrong")
    _click("form:has(#password) button.main", ".errors, [role=alert]")(page)


STATES: Final[dict[str, tuple[str, str, Steps]]] = {
    "nothing fits": ("finance", "/payments?customer=xyzzy", _nothing),
    "no case fits": ("support", "/work?customer=xyzzy", _nothing),
    "not understood, 422": ("finance", "/invoices?amount=1.234", _nothing),
    "forbidden, 403": ("support", "/staff", _nothing),
    "missing, 404": ("support", "/nothing", _nothing),
    "page 2": ("auditor", "/stream", _click("a[rel=next]", "a[rel=prev]")),
    "last page": ("auditor", "/payments?at=last", _nothing),
    "keys": ("support", "/payments", _keys),
    "dialog": ("lead", "/style", _click("[href$='/style/dialog'][hx-get]", "dialog[open]")),
    "dialog with mistakes, 422": ("lead", "/style", _twice),
    "who is there": ("lead", "/style", _click("[href*='ask=proof'][hx-get]", "dialog[open]")),
    "refund dialog": ("support", "/work", _click("td [data-act][hx-get]", "dialog[open]")),
    "choices": ("finance", "/payments", _click("#f-status summary", "#f-status label")),
    "rows selected": ("support", "/work", _click("tbody [type=checkbox]", ".bulk button")),
    "documents selected": ("finance", "/invoices", _click("tbody [type=checkbox]", ".bulk button")),
    "wrong password": (STRANGER, "/login", _wrong_login),
}
"""Name -> who, where, and what they do there."""


class Looker:
    """One browser profile for each person; what axe finds, one line each."""

    def __init__(self, chromium: Chromium, app: Flask, settings: Settings) -> None:
        self._chromium, self._app, self._settings = chromium, app, settings
        self._profiles: dict[str, BrowserContext] = {}
        self.found: list[str] = []

    def look(self, role: str, path: str, steps: Steps = _nothing) -> None:
        for width in WIDTHS:
            with contextlib.closing(self._profile(role).new_page()) as page:
                page.set_viewport_size({"width": width, "height": HEIGHT})
                page.goto(path)
                steps(page)
                page.evaluate(UNFOLD)
                # The policy forbids foreign script in the page: it comes in through the debugger.
                page.evaluate(AXE.read_text())
                for theme in THEMES:
                    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                    where = f"{path} as {role}, {theme}, {width} px"
                    self.found += [f"{where}: {one}" for one in _violations(page)]

    def _profile(self, role: str) -> BrowserContext:
        if role not in self._profiles:
            url = self._settings.url
            context = self._chromium.new_context(base_url=url, locale="de-DE")
            context.set_default_timeout(TIMEOUT_MS)
            name = security.cookie_name("session", self._settings)
            if token := Browser(self._app, role).cookies.get(name):
                context.add_cookies([{"name": name, "value": token, "url": url}])
            self._profiles[role] = context
        return self._profiles[role]


def _violations(page: Page) -> Iterator[str]:
    found: list[dict[str, Any]] = page.evaluate(RUN)["violations"]
    for one in found:
        for node in one["nodes"]:
            yield f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"


def screens(app: Flask, atlas: Atlas) -> dict[str, tuple[str, str]]:
    """Who looks where: of each kind of page the first that the walk met."""
    adapter = app.url_map.bind("localhost")
    found: dict[str, tuple[str, str]] = {}
    for (role, url), answer in atlas.seen.items():
        matched = match(adapter, url)
        if matched is None or answer.status != 200 or urlsplit(url).query:
            continue
        tree = tree_of(answer)
        if tree is not None and tree.cssselect("main"):
            found.setdefault(family(matched[0]), (role, url))
    return found


def looked() -> tuple[int, list[str]]:
    """How many screens there are, and what is wrong with them and with the states."""
    with opened("web", "follower") as house, sync_playwright() as playwright:
        app = create_app(dataclasses.replace(house.settings))
        pages = screens(app, walked(app, EVERYBODY, looks=1))
        chromium = playwright.chromium.launch(executable_path=CHROMIUM)
        looker = Looker(chromium, app, house.settings)
        for role, url in pages.values():
            looker.look(role, url)
        for role, url, steps in STATES.values():
            looker.look(role, url, steps)
        chromium.close()
        app.extensions["kontor"].database.close()
    return len(pages), looker.found


def main() -> dict[str, float]:
    count, found = looked()
    for line in found[:SHOWN]:
        print(line)
    numbers = {
        "screens": count,
        "states": len(STATES),
        "looks at each": len(THEMES) * len(WIDTHS),
        "violations": len(found),
    }
    return report.show("axe", numbers, LIMITS)


if __name__ == "__main__":
    main()
