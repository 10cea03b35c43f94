"""The map of an app with data in it: every address and every form that a person of some role finds
by following links from the first page. It sends GET only."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urljoin, urlsplit

import lxml.html
from flask import Flask
from lxml.html import HtmlElement
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RequestRedirect

from bench.browser import STRANGER, Answer, Browser, at, reset_link

LINKS = ("href", "hx-get", "action", "formaction", "src")
# So many pages of one kind each role looks at: their states differ, and what it may do there. Of
# the same list, sorted and filtered, a few are enough, and one for all roles after the first.
LOOKS, FILTERED, FORMS = 5, 4, 3
TYPED = frozenset({"text", "search", "password", "email", "number", "date", "url", "tel", ""})


@dataclass(frozen=True)
class Form:
    """A form as a page shows it to a role, with the values that stand in it. People type into
    `typed`, and into `texts` whatever they like."""

    role: str
    page: str
    method: str
    action: str
    values: tuple[tuple[str, str], ...]
    typed: frozenset[str]
    texts: frozenset[str]
    files: frozenset[str]


@dataclass
class Atlas:
    """By endpoint: addresses with the role that found them, forms, query parameters. `seen` is
    every answer by role and address."""

    urls: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    forms: dict[str, list[Form]] = field(default_factory=lambda: defaultdict(list))
    parameters: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    seen: dict[tuple[str, str], Answer] = field(default_factory=dict)

    def arguments(self, app: Flask) -> dict[str, dict[str, list[object]]]:
        """Endpoint -> argument -> values that exist."""
        adapter = app.url_map.bind("localhost")
        found: dict[str, dict[str, list[object]]] = defaultdict(lambda: defaultdict(list))
        for endpoint, urls in self.urls.items():
            for url in urls:
                matched = match(adapter, url, ("GET", "POST"))
                for name, value in (matched[1] if matched else {}).items():
                    if value not in found[endpoint][name]:
                        found[endpoint][name].append(value)
        return found


def family(endpoint: str) -> str:
    """Pages that one class makes of many tables, such as `data--event.index_view`, are relatives:
    what holds for one holds for all, and each gets its share instead of the whole."""
    return re.sub(r"--\w+", "--*", endpoint)


def match(
    adapter: MapAdapter, url: str, methods: Iterable[str] = ("GET",)
) -> tuple[str, dict[str, object]] | None:
    for method in methods:
        try:
            endpoint, arguments = adapter.match(urlsplit(url).path, method)
        except (HTTPException, RequestRedirect):
            continue
        return str(endpoint), dict(arguments)
    return None


START = ("/", "/login", "/account")


def walked(app: Flask, roles: Iterable[str], looks: int = LOOKS) -> Atlas:
    """Each role on its own: what one may not open another may. Whoever got it holds a link that
    sets a password."""
    atlas = Atlas()
    for role in roles:
        start = (*START, reset_link(app)) if role == STRANGER else START
        _walk(Browser(app, role), atlas, looks, start)
    return atlas


def _walk(browser: Browser, atlas: Atlas, looks: int, start: Sequence[str]) -> None:
    adapter = browser.app.url_map.bind("localhost")
    waiting, known = deque(start), set(start)
    looked: dict[object, int] = defaultdict(int)
    others = set(atlas.urls)
    while waiting:
        url = waiting.popleft()
        found = match(adapter, url)
        if found is None:
            continue
        endpoint = found[0]
        names = tuple(sorted({name for name, _ in parse_qsl(urlsplit(url).query)}))
        kind = (endpoint, "filtered" if names else "plain")
        looked[kind] += 1
        looked[endpoint, names] += 1
        most = looks if not names else 1 if endpoint in others else FILTERED
        if endpoint != family(endpoint):
            most = 0 if endpoint in atlas.urls else 1
        if looked[kind] > most or (names and looked[endpoint, names] > 1):
            continue
        answer = browser.send(at(url))
        atlas.seen[browser.role, url] = answer
        if answer.status < 400:
            atlas.urls[endpoint].setdefault(url, browser.role)
        atlas.parameters[endpoint].update(
            name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)
        )
        for link in links_on(answer, url):
            if link not in known:
                known.add(link)
                waiting.append(link)
        for form in forms_on(answer, url, browser.role):
            _keep(form, adapter, atlas)


def _keep(form: Form, adapter: MapAdapter, atlas: Atlas) -> None:
    found = match(adapter, form.action, (form.method,))
    if found is None:
        return
    shape = (form.role, tuple(sorted({name for name, _ in form.values})))
    alike = [
        one
        for one in atlas.forms[found[0]]
        if (one.role, tuple(sorted({name for name, _ in one.values}))) == shape
    ]
    if len(alike) < FORMS:
        atlas.forms[found[0]].append(form)
    if form.method == "POST":
        atlas.urls[found[0]].setdefault(form.action, form.role)
    else:
        atlas.parameters[found[0]].update(name for name, _ in form.values)


def tree_of(answer: Answer) -> HtmlElement | None:
    if answer.kind != "text/html" or not answer.body.strip():
        return None
    return lxml.html.fromstring(answer.text)


def links_on(answer: Answer, base: str = "/") -> list[str]:
    """Addresses of ours on a page, and where an answer sends the browser."""
    found = [answer.sent_to] if answer.sent_to else []
    tree = tree_of(answer)
    if tree is not None:
        for name in LINKS:
            found += [str(one.get(name)) for one in tree.iter() if one.get(name) is not None]
    joined = [urljoin(base, link).partition("#")[0] for link in found]
    return [link for link in joined if link.startswith("/") and not link.startswith("/static")]


def forms_on(answer: Answer, base: str, role: str) -> list[Form]:
    tree = tree_of(answer)
    return [] if tree is None else [_form(one, base, role) for one in tree.iter("form")]


def _form(element: HtmlElement, base: str, role: str) -> Form:
    values, typed, texts, files = [], set(), set(), set()
    for control in element.cssselect("input, select, textarea, button"):
        name, kind = str(control.get("name") or ""), str(control.get("type") or "")
        if not name or name == "csrf_token":
            continue
        if kind == "file":
            files.add(name)
            continue
        if control.tag == "textarea" or (control.tag == "input" and kind in TYPED):
            typed.add(name)
            if control.tag == "textarea" or kind in ("text", ""):
                texts.add(name)
        if kind in ("checkbox", "radio") and control.get("checked") is None:
            values.append((name, str(control.get("value") or "on")))
        elif control.tag == "select":
            values += [(name, str(one.get("value") or "")) for one in control.iter("option")][:3]
        else:
            values.append((name, str(control.get("value") or control.text or "")))
    return Form(
        role=role,
        page=base,
        method=str(element.get("method") or "get").upper(),
        action=urljoin(base, str(element.get("action") or base)),
        values=tuple(values),
        typed=frozenset(typed),
        texts=frozenset(texts),
        files=frozenset(files),
    )
