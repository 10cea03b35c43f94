"""A real browser against the app on a real socket: pages in both themes, axe, and no console error.
Without chromium these tests are skipped with that reason."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page
from werkzeug.serving import make_server

from config import Settings
from tests.pages import app, as_role, database_url, login_of, session_cookie, settings
from webapp.access.permissions import Role

__all__ = ["app", "as_role", "database_url", "settings"]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# WCAG 2.0 to 2.2, levels A and AA, and what axe calls best practice.
AXE_RUN = """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa",
  "wcag22aa", "best-practice"], resultTypes: ["violations"]})"""
# The rules that see colours: the others find the same in the dark.
AXE_RUN_COLOURS = """() => axe.run(document, {runOnly: {type: "rule",
  values: ["color-contrast", "link-in-text-block"]}, resultTypes: ["violations"]})"""
Theme = Literal["light", "dark"]
TIMEOUT_MS = 10_000


@pytest.fixture(scope="session")
def template_database(prepared_database: str) -> str:
    """Screens need their tables."""
    return prepared_database


@pytest.fixture
def site(app: Flask, settings: Settings) -> Iterator[str]:
    """The app on its own port; the address it answers at."""
    server = make_server(settings.host, settings.port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield settings.url
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Opener:
    """Opens pages of the site, each in a browser profile of its own."""

    browser: Browser
    site: str
    errors: list[str]
    app: Flask

    def __call__(
        self,
        path: str,
        *,
        theme: Theme = "light",
        role: Role | str | None = None,
        width: int = 1360,
        javascript: bool = True,
    ) -> Page:
        """A page at `path`, where the demo person of that role is already logged in."""
        context = self.browser.new_context(
            base_url=self.site,
            color_scheme=theme,
            viewport={"width": width, "height": 900},
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        if role:
            name, token = session_cookie(self.app, login_of(role))
            context.add_cookies([{"name": name, "value": token, "url": self.site}])
        page.goto(path)
        return page

    def _listen(self, message: ConsoleMessage) -> None:
        # Chromium reports every 4xx answer; those are ours and expected.
        expected = message.text.startswith("Failed to load resource") and " 4" in message.text
        if message.type in ("error", "warning") and not expected:
            self.errors.append(f"{message.type}: {message.text}")


@pytest.fixture
def page(browser: Browser, site: str, app: Flask) -> Iterator[Opener]:
    """`page("/work", theme="dark", role="support")`. A console error fails the test at its end."""
    opener = Opener(browser, site, [], app)
    yield opener
    for context in browser.contexts:
        context.close()
    assert not opener.errors, "\n".join(opener.errors)


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """`assert axe(page("/work")) == []`: what axe-core finds, one line each."""
    return violations


def violations(page: Page) -> list[str]:
    """In both themes."""
    # The policy forbids foreign script in the page, so axe comes in through the debugger.
    page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate(AXE_RUN)["violations"]
    page.emulate_media(color_scheme="dark")
    found += page.evaluate(AXE_RUN_COLOURS)["violations"]
    page.emulate_media(color_scheme="light")
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found
        for node in one["nodes"]
    ]
