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
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import make_server

from config import Settings
from tests.pages import app, as_role, with_read_models
from webapp.cli import DEMO_STAFF
from webapp.permissions import Role

__all__ = ["app", "as_role"]
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# WCAG 2.0 to 2.2, levels A and AA, and what axe calls best practice.
AXE_RUN = """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa",
  "wcag22aa", "best-practice"], resultTypes: ["violations"]})"""
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, Theme] = ("light", "dark")
TIMEOUT_MS = 10_000


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("chromium is absent")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def site(app: Flask, settings: Settings) -> Iterator[str]:
    """The app on its own port; the address it answers at."""
    with_read_models(app)
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

    def __call__(
        self,
        path: str,
        *,
        theme: Theme = "light",
        role: Role | str | None = None,
        width: int = 1360,
        javascript: bool = True,
    ) -> Page:
        """A page at `path`, logged in through the login page as the demo person of that role."""
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
            name = next(demo.name for demo in DEMO_STAFF if demo.role == role).split()[0]
            page.goto("/login")
            page.get_by_role("button", name=f"Log in as {name}").click()
            page.wait_for_load_state()
        page.goto(path)
        return page

    def _listen(self, message: ConsoleMessage) -> None:
        # Chromium reports every 4xx answer; those are ours and expected.
        expected = message.text.startswith("Failed to load resource") and " 4" in message.text
        if message.type in ("error", "warning") and not expected:
            self.errors.append(f"{message.type}: {message.text}")


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Opener]:
    """`page("/work", theme="dark", role="support")`. A console error fails the test at its end."""
    opener = Opener(browser, site, [])
    yield opener
    for context in browser.contexts:
        context.close()
    assert not opener.errors, "\n".join(opener.errors)


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """`assert axe(page("/work")) == []`: what axe-core finds, one line each."""
    return violations


def violations(page: Page) -> list[str]:
    # The policy forbids foreign script in the page, so axe comes in through the debugger.
    page.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = page.evaluate(AXE_RUN)["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['target']} {node.get('failureSummary', '')}"
        for one in found
        for node in one["nodes"]
    ]
