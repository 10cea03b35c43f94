"""Every page that any test opens is also checked: heading, title, valid HTML, ids, forms, labels,
headers. Use the fixtures `as_role` and `anonymous`; nothing else should talk to the app."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import html5lib
import lxml.html
import pytest
from flask import Flask
from html5lib.html5parser import ParseError
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from lxml.html import HtmlElement
from werkzeug.test import Client, TestResponse

from config import Settings
from tests.stand import Stand
from webapp.access import security, sessions
from webapp.access.permissions import Role
from webapp.cli import DEMO_STAFF
from webapp.models import Staff, db

SELF_LABELLED = {"hidden", "submit", "button", "image", "reset"}
LEFT_OVER = re.compile(r"%\(\w+\)s|\{\{|\{%|^\s*None\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """An answer of the app, already checked when it is HTML."""

    response: TestResponse
    url: str
    fragment: bool = False

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def location(self) -> str:
        """Where the browser is sent, with or without htmx."""
        headers = self.response.headers
        return headers.get("Location") or headers.get("HX-Redirect") or ""

    @cached_property
    def html(self) -> str:
        return self.response.get_data(as_text=True)

    @cached_property
    def tree(self) -> HtmlElement:
        if self.fragment:
            return lxml.html.fragment_fromstring(self.html, create_parent="div")
        return lxml.html.document_fromstring(self.html)

    def select(self, css: str) -> list[HtmlElement]:
        found: list[HtmlElement] = self.tree.cssselect(css)
        return found

    def one(self, css: str) -> HtmlElement:
        found = self.select(css)
        assert len(found) == 1, f"{len(found)} elements match {css!r} on {self.url}"
        return found[0]

    @property
    def text(self) -> str:
        """What a reader sees: one line, single spaces."""
        return " ".join(" ".join(self.tree.itertext()).split())

    @property
    def h1(self) -> str:
        return words(self.one("h1"))


def words(element: HtmlElement) -> str:
    return " ".join("".join(element.itertext()).split())


def complaints(page: Page) -> list[str]:
    """Everything that is wrong with a page, in words."""
    found = _parse_errors(page)
    for check in (*EVERYWHERE, *(() if page.fragment else WHOLE_PAGE)):
        found += check(page)
    return found


def _parse_errors(page: Page) -> list[str]:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    try:
        (parser.parseFragment if page.fragment else parser.parse)(page.html)
    except ParseError as error:
        line, column = parser.errors[-1][0] if parser.errors else (0, 0)
        return [f"not valid HTML near line {line}, column {column}: {error}"]
    return []


def _heading(page: Page) -> list[str]:
    headings = page.select("h1")
    if len(headings) != 1:
        return [f"{len(headings)} h1 instead of one"]
    title = words(page.one("title"))
    heading = words(headings[0])
    return [] if heading and title.startswith(heading) else [f"{title!r} starts not {heading!r}"]


def _language(page: Page) -> list[str]:
    return [] if page.tree.get("lang") else ["no lang on html"]


def _headers(page: Page) -> list[str]:
    headers = page.response.headers
    wrong = [
        f"{name} is {headers.get(name)!r}"
        for name, value in security.HEADERS.items()
        if headers.get(name) != value
    ]
    if headers.get("Cache-Control") != "no-store":
        wrong.append("a personal page may be stored")
    return wrong


def _ids(page: Page) -> list[str]:
    ids = Counter(element.get("id") for element in page.select("[id]"))
    found = [f"id {name!r} stands {count} times" for name, count in ids.items() if count > 1]
    for attribute in ("for", "aria-labelledby", "aria-describedby", "aria-controls"):
        for element in page.select(f"[{attribute}]"):
            missing = set(element.get(attribute, "").split()) - set(ids)
            found += [f"{attribute} points to no id {name!r}" for name in sorted(missing)]
    return found


def _forms(page: Page) -> list[str]:
    found = []
    for form in page.select("form"):
        action, method = str(form.get("action") or ""), str(form.get("method") or "").lower()
        name = f"form {action!r}"
        if not action or method not in ("get", "post"):
            found.append(f"{name} has no action or no method")
        tokens = [f.get("value") for f in form.cssselect("input[name=csrf_token]")]
        if method == "post" and (len(tokens) != 1 or not tokens[0]):
            found.append(f"{name} has no CSRF field")
        if method == "get" and tokens:
            found.append(f"{name} would put its CSRF token into the address")
    return found


def _labels(page: Page) -> list[str]:
    named = {label.get("for") for label in page.select("label[for]")}
    found = []
    for control in page.select("input, select, textarea"):
        if control.get("type") in SELF_LABELLED:
            continue
        inside = any(parent.tag == "label" for parent in control.iterancestors())
        aria = control.get("aria-label") or control.get("aria-labelledby")
        if not (inside or aria or (control.get("id") in named and control.get("id"))):
            found.append(f"{control.tag!s} {control.get('name')!r} has no label")
    for control in page.select("button, a[href]"):
        if not (words(control) or control.get("aria-label")):
            found.append(f"{control.tag!s} {control.get('href') or control.get('name')!r} is mute")
    found += [f"img {i.get('src')!r} has no alt" for i in page.select("img:not([alt])")]
    return found


def _inline(page: Page) -> list[str]:
    found = [f"style attribute on {e.tag!s}" for e in page.select("[style]")]
    found += ["style element"] * len(page.select("style"))
    found += ["inline script"] * len(page.select("script:not([src])"))
    for element in page.tree.iter():
        for name in element.attrib if isinstance(element.tag, str) else ():
            if str(name).startswith(("on", "hx-on", "data-hx-on")):
                found.append(f"{name!s} on {element.tag!s}")
    for link in page.select("a[href]"):
        if link.get("href") == "#" or str(link.get("href")).lower().startswith("javascript:"):
            found.append(f"link {words(link)!r} leads nowhere")
    return found


def _htmx(page: Page) -> list[str]:
    """Whatever htmx does must also work as a plain link or form, at the same address."""
    found = []
    for element in page.select("a[hx-get]"):
        if element.get("href") != element.get("hx-get"):
            found.append(f"link {words(element)!r} has another address without htmx")
    for element in page.select("form[hx-post]"):
        if element.get("action") != element.get("hx-post"):
            found.append(f"form {element.get('hx-post')!r} has another address without htmx")
    return found


def _left_overs(page: Page) -> list[str]:
    texts = (text for text in page.tree.itertext() if LEFT_OVER.search(text))
    return [f"left over: {text.strip()[:60]!r}" for text in texts]


Check = Callable[[Page], list[str]]
EVERYWHERE: tuple[Check, ...] = (_headers, _ids, _forms, _labels, _inline, _htmx, _left_overs)
WHOLE_PAGE: tuple[Check, ...] = (_heading, _language)


@dataclass
class PageClient:
    """A browser of one person. Every HTML answer is checked before the test sees it."""

    app: Flask
    client: Client
    csrf: str = ""
    opened: list[str] = field(default_factory=list)

    def get(self, url: str, *, htmx: str = "", status: int = 200) -> Page:
        """`htmx` is the target as htmx names it, such as `dialog#dialog`."""
        return self._checked(self.client.get(url, headers=_htmx_headers(htmx)), url, htmx, status)

    def post(
        self,
        url: str,
        data: Mapping[str, object] | None = None,
        *,
        htmx: str = "",
        status: int = 303,
        csrf: str | None = None,
    ) -> Page:
        """Sends the session's own CSRF token unless the test brings another one."""
        token = self.csrf if csrf is None else csrf
        form = {**(data or {}), **({"csrf_token": token} if token else {})}
        answer = self.client.post(url, data=form, headers=_htmx_headers(htmx))
        return self._checked(answer, url, htmx, status)

    def _checked(self, response: TestResponse, url: str, htmx: str, status: int) -> Page:
        self.opened.append(url)
        page = Page(response, url, fragment=bool(htmx))
        text = page.html[:2000] if str(response.mimetype).startswith("text/") else ""
        assert page.status == status, f"{url} answered {page.status}, not {status}:\n{text}"
        if response.mimetype == "text/html" and not page.location and page.html.strip():
            wrong = complaints(page)
            assert not wrong, f"{url}:\n- " + "\n- ".join(wrong)
        return page


def _htmx_headers(target: str) -> dict[str, str]:
    if not target:
        return {}
    return {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": target}


class _Compiled(BytecodeCache):
    """Every app of this process has the same templates: each is compiled once, not once per app."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._kept.get(bucket.key + bucket.checksum):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key + bucket.checksum] = bucket.bytecode_to_string()


Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _Compiled()}


class AsRole(Protocol):
    def __call__(self, role: Role | str) -> PageClient: ...


@pytest.fixture
def settings(stand: Stand, redis_url: str) -> Settings:
    """Those of the shared app; its database is as good as new."""
    stand.empty()
    return stand.settings


@pytest.fixture
def database_url(settings: Settings) -> str:
    return settings.database_url


@pytest.fixture
def app(stand: Stand, settings: Settings) -> Iterator[Flask]:
    """The shared app with the demo staff and nothing else in its database."""
    yield stand.app
    with stand.app.app_context():
        db.session.remove()


@pytest.fixture
def anonymous(app: Flask) -> PageClient:
    return PageClient(app, app.test_client())


@pytest.fixture
def as_role(app: Flask) -> AsRole:
    """A browser where the demo person of that role is already logged in."""

    def log_in(role: Role | str) -> PageClient:
        return log_in_as(app, login_of(role))

    return log_in


def login_of(role: Role | str) -> str:
    """The first demo person of that role, or the one of that name."""
    return next(demo.login for demo in DEMO_STAFF if role in (demo.role, demo.login))


def log_in_as(app: Flask, login: str) -> PageClient:
    """A new session for that account, both factors proved just now, without the login page."""
    settings: Settings = app.extensions["kontor.settings"]
    opened = _open_session(app, login)
    client = app.test_client()
    client.set_cookie(security.cookie_name("session", settings), opened.token or "")
    return PageClient(app, client, opened.principal.csrf)


def session_cookie(app: Flask, login: str) -> tuple[str, str]:
    """The same for a browser: the name of its cookie and the token in it."""
    settings: Settings = app.extensions["kontor.settings"]
    return security.cookie_name("session", settings), _open_session(app, login).token or ""


def _open_session(app: Flask, login: str) -> sessions.Opened:
    with app.app_context():
        person = db.session.query(Staff).filter_by(login=login).one()
        return sessions.start(person, second_factor=True)
