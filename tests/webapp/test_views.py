"""Saved views: kept, shared, opened by default, changed and deleted by whom they belong to; nobody
learns of another person's private ones."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests.pages import AsRole, Page, PageClient, words
from tests.readmodels.kit import Following, Story
from webapp.lists import views
from webapp.models import Audit, SavedView, Staff, db

FAILED = "sort=-amount&status=failed"


@pytest.fixture
def kit(app: Flask) -> Iterator[Following]:
    with Following(app.extensions["kontor"]) as following:
        yield following


def keep(browser: PageClient, name: str = "Trouble", query: str = FAILED, **more: str) -> str:
    """Saves a view; its id."""
    form = {"list": "payments", "query": query, "name": name, **more}
    browser.post("/views/new", form)
    with browser.app.app_context():
        row = db.session.query(SavedView).filter_by(name=name).order_by(SavedView.created_at)
        return row.all()[-1].id


def tabs(page: Page) -> list[str]:
    return [words(link) for link in page.select("#views a.button:not(.quiet)")]


def current(page: Page) -> list[str]:
    return [words(link) for link in page.select("#views a[aria-current]")]


def test_a_view_keeps_filters_and_order(kit: Following, as_role: AsRole) -> None:
    Story(kit)
    mia = as_role("support")
    assert not mia.get("/payments").select("#views a")
    page = mia.get("/payments?status=failed&sort=-amount&customer=")
    link = page.one("#views a")
    dialog = mia.get(str(link.get("href")), htmx="dialog#dialog")
    fields = {str(f.get("name")): str(f.get("value")) for f in dialog.select("input[type=hidden]")}
    assert fields["query"] == FAILED
    answer = mia.post(
        "/views/new", {**fields, "name": " Trouble "}, htmx="dialog#dialog", status=200
    )
    assert answer.location == f"/payments?{FAILED}"
    page = mia.get(answer.location)
    assert tabs(page) == ["Everything", "Trouble"]
    assert current(page) == ["Trouble"]
    assert current(mia.get("/payments")) == ["Everything"]
    assert current(mia.get("/payments?status=settled")) == []
    assert not mia.get("/invoices").select("#views a.button:not(.quiet)")


def test_its_owner_gives_a_view_other_filters(kit: Following, as_role: AsRole) -> None:
    mia, jon = as_role("support"), as_role("operations")
    view = keep(jon, shared="on")
    settled = {"list": "payments", "query": "status=settled", "into": view}
    mia.post("/views/new", settled, status=404)
    dialog = jon.get("/views/new?list=payments&query=status%3Dsettled")
    assert [words(one) for one in dialog.select("#into option")] == ["Trouble"]
    jon.post("/views/new", {**settled, "list": "refunds"}, status=404)
    assert jon.post("/views/new", settled).location == "/payments?status=settled"
    assert current(mia.get("/payments?status=settled")) == ["Trouble shared"]


def test_private_views_are_nobody_elses(app: Flask, kit: Following, as_role: AsRole) -> None:
    mia, jon = as_role("support"), as_role("operations")
    view = keep(mia)
    assert not jon.get("/payments").select("#views a")
    jon.get(f"/views/{view}", status=404)
    jon.post(f"/views/{view}", {"name": "Mine"}, status=404)
    jon.post(f"/views/{view}/delete", status=404)
    for nonsense in ("nothing", "%27", "é", "0" * 300):
        jon.get(f"/views/{nonsense}", status=404)
    assert tabs(mia.get("/payments")) == ["Everything", "Trouble"]


def test_sharing_is_for_those_who_may(app: Flask, kit: Following, as_role: AsRole) -> None:
    mia, jon, uwe = as_role("support"), as_role("operations"), as_role("auditor")
    form = {"list": "payments", "query": FAILED, "name": "Ours", "shared": "on"}
    mia.post("/views/new", form, status=403)
    assert not mia.get(f"/views/new?list=payments&{urlencode({'query': FAILED})}").select(
        "[name=shared]"
    )
    private = keep(mia)
    mia.post(f"/views/{private}", {"name": "Trouble", "shared": "on"}, status=403)
    view = keep(jon, "Ours", shared="on")
    assert tabs(uwe.get("/payments")) == ["Everything", "Ours shared"]
    page = uwe.get(f"/views/{view}")
    assert not page.select("[name=name]")
    uwe.post(f"/views/{view}", {"name": "Stolen"})
    uwe.post(f"/views/{view}/delete", status=403)
    assert tabs(uwe.get("/payments")) == ["Everything", "Ours shared"]
    as_role("lead").post(f"/views/{view}/delete")
    assert not uwe.get("/payments").select("#views a")
    as_role("admin").get(f"/views/{view}", status=403)
    with app.app_context():
        trail = [row.outcome for row in db.session.query(Audit).filter_by(act="view.share")]
    assert trail == ["denied", "denied", "allowed", "denied", "allowed"]


def test_a_list_opens_with_the_view_somebody_chose(kit: Following, as_role: AsRole) -> None:
    Story(kit)
    jon, mia = as_role("operations"), as_role("support")
    view = keep(jon, "Ours", shared="on")
    mia.post(f"/views/{view}", {"default": "on"})
    assert mia.get("/payments", status=303).location == f"/payments?{FAILED}"
    assert jon.get("/payments").one("h1") is not None
    everything = mia.get(f"/payments?{FAILED}").select("#views a")[0]
    assert everything.get("href") == "/payments?view=all"
    page = mia.get("/payments?view=all")
    assert len(page.select("#rows tr")) == 1
    assert current(page) == ["Everything"]
    assert mia.get(f"/payments?{FAILED}").one(".empty a").get("href").endswith("sort=-amount")
    # Taken back from everybody, it no longer opens anything for others.
    jon.post(f"/views/{view}", {"name": "Ours"})
    assert len(mia.get("/payments").select("#rows tr")) == 1


def test_the_choice_can_be_undone(kit: Following, as_role: AsRole) -> None:
    mia = as_role("support")
    view = keep(mia, default="on")
    mia.get("/payments", status=303)
    assert mia.get(f"/views/{view}").select("[name=default][checked]")
    mia.post(f"/views/{view}", {"name": "Trouble"})
    mia.get("/payments")
    other = keep(mia, "Other", "status=returned", default="on")
    mia.post(f"/views/{other}/delete")
    mia.get("/payments")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "nonsense=1",
        "status=lost",
        "amount=1.234",
        "sort=nonsense",
        "status=failed&at=last",
        "_external=1&_scheme=javascript",
        "customer=" + "a" * 3_000,
        "from=soon",
    ],
)
def test_what_the_list_would_not_understand_is_not_kept(
    app: Flask, kit: Following, as_role: AsRole, query: str
) -> None:
    mia = as_role("support")
    mia.get(f"/views/new?{urlencode({'list': 'payments', 'query': query})}", status=400)
    mia.post("/views/new", {"list": "payments", "query": query, "name": "x"}, status=400)
    with app.app_context():
        assert db.session.query(SavedView).count() == 0


def test_only_what_the_list_knows_is_kept(app: Flask, kit: Following, as_role: AsRole) -> None:
    mia = as_role("support")
    keep(mia, query="status=returned&_external=1&status=failed&x=%00&customer=%00a&status=failed")
    with app.app_context():
        kept = db.session.query(SavedView).one().query
    assert kept == "customer=a&status=failed&status=returned"
    page = mia.get("/payments")
    assert page.select("#views a")[1].get("href") == f"/payments?{kept}"


def test_names_are_one_line_unique_and_bounded(
    app: Flask, kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    mia, jon = as_role("support"), as_role("operations")
    form = {"list": "payments", "query": FAILED}
    for name, why in (
        ("", "Give the view a name."),
        ("x" * 61, "A name has at most 60 characters."),
    ):
        page = mia.post("/views/new", {**form, "name": name}, status=422)
        assert why in page.text
    first = keep(mia, "<b>Nadia's</b>")
    assert "&lt;b&gt;Nadia" in mia.get("/payments").html
    again = mia.post("/views/new", {**form, "name": "<b>Nadia's</b>"}, status=422)
    assert "You have a view of this name already." in again.text
    keep(jon, "<b>Nadia's</b>")
    other = keep(mia, "Other", "status=returned")
    page = mia.post(f"/views/{other}", {"name": "<b>Nadia's</b>"}, status=422)
    assert "You have a view of this name already." in page.text
    mia.post(f"/views/{first}", {"name": "Renamed"})
    assert tabs(mia.get("/payments")) == ["Everything", "Renamed", "Other"]
    monkeypatch.setattr(views, "VIEWS_MAX", 2)
    page = mia.post("/views/new", {**form, "name": "Third"}, status=422)
    assert "You keep 2 views already." in page.text


def test_a_view_needs_the_permission_of_its_list(
    app: Flask, kit: Following, as_role: AsRole
) -> None:
    mia = as_role("support")
    mia.get("/views/new?list=nothing&query=a%3Db", status=404)
    view = keep(mia)
    with app.app_context():
        db.session.query(SavedView).filter_by(id=view).update({"list": "gone"})
        db.session.commit()
    mia.get(f"/views/{view}", status=404)
    with app.app_context():
        person = db.session.query(Staff).filter_by(login="mia").one()
        person.role = "admin"
        db.session.commit()
    mia.get(f"/views/{view}", status=403)


def test_many_views_hide_behind_one_button(
    kit: Following, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    mia = as_role("support")
    for number in range(10):
        keep(mia, f"View {number}", f"amount={number + 1},00")
    page = mia.get("/payments")
    assert len(page.select("#views > a.button")) == 9
    assert len(page.select("#views details a")) == 2
