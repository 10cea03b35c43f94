"""The pages of the base, and the page checker itself: it has to find what it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment, nodes
from werkzeug.test import TestResponse

import webapp
from tests.pages import AsRole, Page, PageClient, complaints
from webapp.access.permissions import Role

TEMPLATES = Path(webapp.__file__).parent / "templates"
GOOD = """<!doctype html><html lang="en"><head><title>Work · Kontor</title></head><body>
<h1>Work</h1><form method="post" action="/x"><input type="hidden" name="csrf_token" value="t">
<label for="a">A</label><input id="a" name="a"><button>Send form</button></form></body></html>"""


def _page(bare: PageClient, html: str, headers: dict[str, str] | None = None) -> Page:
    real = bare.client.get("/login")
    merged = {**dict(real.headers), **(headers or {})}
    merged.pop("Content-Length")
    answer = TestResponse([html.encode()], "200 OK", merged, request=real.request)  # type: ignore[arg-type]
    return Page(answer, "/made-up")


def test_a_good_page_is_good(bare: PageClient) -> None:
    assert complaints(_page(bare, GOOD)) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("<h1>Work</h1>", "", "0 h1"),
        ("<h1>Work</h1>", "<h1>Work</h1><h1>Work</h1>", "2 h1"),
        ("<h1>Work</h1>", "<h1>Pay</h1>", "starts not"),
        (' lang="en"', "", "no lang"),
        ("<h1>", "</p><h1>", "not valid HTML"),
        ("</form>", "", "not valid HTML"),
        ("</form>", '</form><p id="a">x</p>', "stands 2 times"),
        ('<label for="a">A</label>', "", "has no label"),
        ('for="a"', 'for="b"', "points to no id"),
        (' method="post"', "", "no method"),
        (' action="/x"', "", "no action"),
        ('<input type="hidden" name="csrf_token" value="t">', "", "no CSRF field"),
        ('method="post"', 'method="get"', "into the address"),
        ("<h1>", '<h1 style="color:red">', "style attribute"),
        ("<body>", "<body><script>1</script>", "inline script"),
        ("<h1>", '<h1 onclick="x()">', "onclick"),
        ("<h1>", '<h1 hx-on:click="x()">', "hx-on:click"),
        ("</form>", '</form><a href="#">x</a>', "leads nowhere"),
        ("</form>", '</form><a href="/x"></a>', "is mute"),
        ("</form>", '</form><a href="/x" hx-get="/y">x</a>', "another address"),
        ("</form>", "</form><p>%(amount)s</p>", "left over"),
        ("</form>", "</form><p>None</p>", "left over"),
        ("</form>", '</form><img src="/x">', "no alt"),
    ],
)
def test_the_checker_finds_it(bare: PageClient, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    found = complaints(_page(bare, GOOD.replace(old, new, 1)))
    assert any(complaint in one for one in found), found


def test_the_checker_looks_at_the_headers(bare: PageClient) -> None:
    inline = {"Content-Security-Policy": "default-src 'self' 'unsafe-inline'"}
    assert any("Policy" in one for one in complaints(_page(bare, GOOD, inline)))
    kept = complaints(_page(bare, GOOD, {"Cache-Control": "public"}))
    assert kept == ["a personal page may be stored"]


def _calls(source: str) -> tuple[dict[str, set[str]], set[str]]:
    """The macros of a template, each with the names that it calls, and all names that it calls."""
    tree = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(source)

    def called(node: nodes.Node) -> set[str]:
        targets = (call.node for call in node.find_all(nodes.Call))
        return {target.name for target in targets if isinstance(target, nodes.Name)}

    return {macro.name: called(macro) for macro in tree.find_all(nodes.Macro)}, called(tree)


def test_the_style_page_shows_every_part() -> None:
    macros: dict[str, set[str]] = {}
    for name in ("parts.html", "lists.html"):
        macros |= _calls((TEMPLATES / name).read_text())[0]
    shown = set[str]()
    for template in (TEMPLATES / "style").glob("*.html"):
        shown |= _calls(template.read_text())[1]
    for _level in macros:
        shown |= {inner for name in shown & set(macros) for inner in macros[name]}
    assert set(macros) - shown == set()


def test_the_login_page(bare: PageClient) -> None:
    page = bare.get("/login")
    assert page.h1 == "Log in"
    assert len(page.select(".people li")) == 7
    assert "Hafenlicht Versicherung AG" in page.text


@pytest.mark.parametrize("role", list(Role))
def test_everybody_sees_only_what_the_role_may_open(
    app: Flask, as_role: AsRole, role: Role
) -> None:
    browser = as_role(role)
    page = browser.get("/style")
    links = [str(link.get("href")) for link in page.select("nav li a")]
    assert ("/staff" in links) == (role is Role.ADMIN)
    for link in links:
        browser.get(link)
    assert page.one("nav a[aria-current]").get("href") == "/style"


def test_the_first_page_is_the_first_link(as_role: AsRole) -> None:
    browser = as_role("lead")
    first = browser.get("/style").select("nav li a")[0].get("href")
    assert browser.get("/", status=303).location == first


def test_a_dialog_is_also_a_page(as_role: AsRole) -> None:
    ben = as_role("admin")
    alone = ben.get("/staff/stf_mia/change")
    inside = ben.get("/staff/stf_mia/change", htmx="dialog#dialog")
    assert "Mia Aydin" in alone.h1
    assert inside.one("#dialog-title").text_content() == alone.h1
    assert alone.one(".sheet form").get("action") == inside.one(".sheet form").get("action")


def test_a_refused_dialog_keeps_its_frame(as_role: AsRole) -> None:
    lead = as_role("lead")
    inside = lead.post("/style/dialog", htmx="dialog#dialog", status=422)
    assert inside.one(".errors a").get("href") == "#remark"
    assert lead.post("/style/dialog", status=422).h1 == "Write a remark"


def test_after_a_command_htmx_loads_the_page_and_forms_are_redirected(as_role: AsRole) -> None:
    ben = as_role("admin")
    disable = {"kind": "disable"}
    page = ben.post("/staff/stf_mia/change", disable, htmx="dialog#dialog", status=200)
    assert page.response.headers["HX-Redirect"] == "/staff"
    assert ben.post("/staff/stf_uwe/change", disable).response.headers["Location"] == "/staff"


def test_colours_and_keys_are_remembered(as_role: AsRole) -> None:
    ben = as_role("admin")
    assert ben.get("/staff").one("html").get("data-theme") is None
    ben.post("/theme", {"theme": "dark", "next": "/staff"})
    assert ben.get("/staff").one("html").get("data-theme") == "dark"
    ben.post("/theme", {"theme": "nonsense", "next": "/staff"})
    assert ben.get("/staff").one("html").get("data-theme") is None
    ben.post("/keys", {"keys": "off", "next": "/staff"})
    assert ben.get("/staff").one("html").get("data-keys") == "off"


def test_names_are_escaped_everywhere(as_role: AsRole) -> None:
    ben = as_role("admin")
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    page = ben.post("/login", {"login": evil, "password": "x"}, status=422)
    assert page.one("#login").get("value") == evil
    assert not page.select("img")
    ben.get(f"/{evil.replace('/', '')}", status=404)
