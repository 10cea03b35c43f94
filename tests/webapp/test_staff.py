"""Accounts change only when a second admin confirms: proposed, decided, audited, and every session
of the account ends at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy import select

from tests.pages import AsRole, PageClient, log_in_as, words
from tests.webapp.authenticator import let_pass, password_step
from webapp.access import resets, second_factor, security, staff_changes
from webapp.access.staff_changes import Impossible
from webapp.models import Audit, ResetLink, Staff, StaffChange, db


@pytest.fixture
def ben(as_role: AsRole) -> PageClient:
    return as_role("admin")


@pytest.fixture
def kai(app: Flask, ben: PageClient) -> PageClient:
    """The second admin."""
    return log_in_as(app, "kai")


def propose(browser: PageClient, kind: str, staff_id: str = "stf_mia", **more: str) -> str:
    """The id of the proposal."""
    form = {"kind": kind, **more}
    browser.post(f"/staff/{staff_id}/change", form)
    with browser.app.app_context():
        newest = select(StaffChange.id).order_by(StaffChange.asked_at.desc()).limit(1)
        return str(db.session.scalar(newest))


def person(app: Flask, staff_id: str = "stf_mia") -> Staff:
    with app.app_context():
        found = db.session.get_one(Staff, staff_id)
        db.session.expunge(found)
        return found


def trail(app: Flask) -> list[tuple[str, str, str | None, str | None]]:
    with app.app_context():
        rows = db.session.scalars(select(Audit).order_by(Audit.id)).all()
        return [(row.act, row.outcome, row.staff_id, row.reason) for row in rows]


def test_a_role_changes_when_a_second_admin_confirms(
    app: Flask, ben: PageClient, kai: PageClient, as_role: AsRole
) -> None:
    mia = as_role("support")
    change = propose(ben, "role", role="lead")
    page = ben.get("/staff")
    assert "Proposed: Mia Aydin becomes lead instead of support." in words(page.one(".toast"))
    assert "becomes lead" in words(page.one("#waiting"))
    assert person(app).role == "support"
    mia.get("/account")
    decide = kai.get(f"/staff/changes/{change}")
    assert words(decide.one("h1")) == "Mia Aydin becomes lead instead of support"
    kai.post(f"/staff/changes/{change}/confirm")
    assert person(app).role == "lead"
    mia.get("/account", status=303)
    assert not kai.get("/staff").select("#waiting")
    with app.app_context():
        rows = db.session.scalars(select(Audit).order_by(Audit.id)).all()
        asked, confirmed = rows[-2:]
    expected = {"change": change, "kind": "role", "asked_by": "stf_ben"}
    assert asked.detail == confirmed.detail == {**expected, "before": "support", "after": "lead"}
    assert (asked.act, asked.staff_id) == ("staff.propose", "stf_ben")
    assert (confirmed.act, confirmed.staff_id) == ("staff.confirm", "stf_kai")
    assert confirmed.subject == "stf_mia"


def test_a_name_changes_and_nobody_is_logged_out(
    app: Flask, ben: PageClient, kai: PageClient, as_role: AsRole
) -> None:
    mia = as_role("support")
    change = propose(ben, "name", name="  Mia   Brandt ")
    decide = kai.get(f"/staff/changes/{change}")
    assert words(decide.one("h1")) == "Mia Aydin is called Mia Brandt"
    assert "sessions" not in words(decide.one(".note"))
    kai.post(f"/staff/changes/{change}/confirm")
    assert words(mia.get("/account").one("#who-title")) == "Mia Brandt"
    with app.app_context():
        detail = db.session.scalars(select(Audit.detail).order_by(Audit.id.desc())).first()
    assert detail is not None
    assert (detail["before"], detail["after"]) == ("Mia Aydin", "Mia Brandt")


def test_nobody_confirms_their_own_proposal(app: Flask, ben: PageClient) -> None:
    change = propose(ben, "disable")
    page = ben.get(f"/staff/changes/{change}")
    assert not page.select("form[action$='/confirm']")
    page = ben.post(f"/staff/changes/{change}/confirm", status=422)
    assert "another admin" in words(page.one("[role=alert]"))
    assert person(app).disabled_at is None
    assert trail(app)[-1] == ("staff.confirm", "refused", "stf_ben", "own proposal")


def test_without_that_rule_the_database_still_refuses(
    app: Flask, ben: PageClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The protection switched off in the code: the constraint behind it holds."""
    change = propose(ben, "disable")
    with app.app_context():
        db.session.execute(db.text("UPDATE staff_change SET asked_by = 'stf_kai'"))
        found = db.session.get_one(StaffChange, change)
        db.session.commit()
        db.session.execute(db.text("UPDATE staff_change SET asked_by = 'stf_ben'"))
        db.session.commit()
        found.__dict__["asked_by"] = "stf_kai"
        with pytest.raises(Exception, match="staff_change_by_a_second_admin"):
            staff_changes.confirm(found, "stf_ben")
        db.session.rollback()
    assert person(app).disabled_at is None


def test_nobody_decides_on_their_own_account(app: Flask, ben: PageClient, kai: PageClient) -> None:
    change = propose(kai, "role", "stf_ben", role="lead")
    page = ben.post(f"/staff/changes/{change}/confirm", status=422)
    assert "your own account" in words(page.one("[role=alert]"))
    assert person(app, "stf_ben").role == "admin"


def test_disabling_ends_every_session_and_every_half_open_login(
    app: Flask, ben: PageClient, kai: PageClient, as_role: AsRole, anonymous: PageClient
) -> None:
    eva = as_role("lead")
    copied = app.test_client()
    name = security.cookie_name("session", app.extensions["kontor.settings"])
    cookie = eva.client.get_cookie(name)
    assert cookie is not None
    copied.set_cookie(name, cookie.value)
    assert copied.get("/account").status_code == 200
    password_step(anonymous, "eva")
    change = propose(ben, "disable", "stf_eva")
    kai.post(f"/staff/changes/{change}/confirm")
    eva.get("/account", status=303)
    assert copied.get("/account").status_code == 303
    assert anonymous.get("/login/code", status=303).location.startswith("/login")
    change = propose(kai, "enable", "stf_eva")
    ben.post(f"/staff/changes/{change}/confirm")
    assert person(app, "stf_eva").disabled_at is None
    assert password_step(anonymous, "eva") == "/login/code"


def test_a_new_account_gets_its_password_by_a_link_that_works_once(
    app: Flask, ben: PageClient, kai: PageClient, anonymous: PageClient
) -> None:
    form = {"name": "Nora Ek", "login": "Nora", "role": "support"}
    ben.post("/staff/new", form)
    with app.app_context():
        change = db.session.scalars(select(StaffChange)).one()
        assert db.session.scalar(select(Staff).where(Staff.login == "nora")) is None
    page = kai.post(f"/staff/changes/{change.id}/confirm", status=200)
    link = words(page.one("#link"))
    assert link.startswith("http://")
    path = link[link.index("/reset/") :]
    with app.app_context():
        stored = db.session.scalars(select(ResetLink)).one()
        assert path.removeprefix("/reset/").encode() != stored.token_sha256
        assert stored.made_by == "stf_kai"
    page = anonymous.get(path)
    assert "Your user name is nora." in page.text
    token = page.one("input[name=csrf_token]").get("value")
    good = {"new_password": "a long and odd pass phrase", "again": "a long and odd pass phrase"}
    bad = anonymous.post(path, {**good, "again": "other"}, csrf=token, status=422)
    assert "not the same" in bad.text
    saved = anonymous.post(path, good, csrf=token).location
    assert "Your password is saved." in words(anonymous.get(saved).one("[role=status]"))
    anonymous.get(path, status=404)
    anonymous.post(path, good, csrf=token, status=404)
    token = anonymous.get("/login").select("input[name=csrf_token]")[0].get("value")
    login = {"login": "nora", "password": good["new_password"]}
    assert anonymous.post("/login", login, csrf=token).location == "/"


def test_a_link_ends_after_an_hour_and_with_the_next_one(
    app: Flask, ben: PageClient, kai: PageClient, anonymous: PageClient
) -> None:
    first = _link(ben, kai)
    anonymous.get(first)
    second = _link(ben, kai)
    anonymous.get(first, status=404)
    anonymous.get(second)
    let_pass(app, "reset_link", created_at=resets.LIFETIME)
    anonymous.get(second, status=404)
    third = _link(ben, kai)
    kai.post(f"/staff/changes/{propose(ben, 'disable')}/confirm")
    anonymous.get(third, status=404)


def test_a_new_password_ends_what_the_old_one_opened(
    app: Flask, ben: PageClient, kai: PageClient, as_role: AsRole, anonymous: PageClient
) -> None:
    path = _link(ben, kai)
    mia = as_role("support")
    token = anonymous.get(path).one("input[name=csrf_token]").get("value")
    good = {"new_password": "a long and odd pass phrase", "again": "a long and odd pass phrase"}
    anonymous.post(path, good, csrf=token)
    mia.get("/account", status=303)


def _link(ben: PageClient, kai: PageClient) -> str:
    change = propose(ben, "password")
    page = kai.post(f"/staff/changes/{change}/confirm", status=200)
    link = words(page.one("#link"))
    return link[link.index("/reset/") :]


def test_a_lost_telephone_is_reset_by_two_admins(
    app: Flask, ben: PageClient, kai: PageClient, anonymous: PageClient
) -> None:
    change = propose(ben, "factor", "stf_eva")
    kai.post(f"/staff/changes/{change}/confirm")
    assert person(app, "stf_eva").totp_sealed is None
    with app.app_context():
        assert second_factor.recovery_codes_left("stf_eva") == 0
    assert password_step(anonymous, "eva") == "/login/setup"


def test_withdrawn_by_who_asked_rejected_by_another(
    app: Flask, ben: PageClient, kai: PageClient
) -> None:
    for browser, outcome in ((ben, "Withdrawn"), (kai, "Rejected")):
        change = propose(ben, "disable")
        browser.post(f"/staff/changes/{change}/close")
        assert outcome in words(browser.get("/staff").one(".toast"))
        browser.get(f"/staff/changes/{change}", status=404)
        kai.post(f"/staff/changes/{change}/confirm", status=404)
    assert person(app).disabled_at is None
    reasons = [row[3] for row in trail(app) if row[0] == "staff.manage"]
    assert reasons == ["withdrawn", "rejected"]


def test_a_proposal_grows_too_old(app: Flask, ben: PageClient, kai: PageClient) -> None:
    change = propose(ben, "disable")
    let_pass(app, "staff_change", asked_at=staff_changes.LIFETIME)
    kai.post(f"/staff/changes/{change}/confirm", status=404)
    assert not kai.get("/staff").select("#waiting")
    propose(kai, "disable")
    with app.app_context():
        assert db.session.get_one(StaffChange, change).outcome == "expired"


def test_one_change_of_an_account_waits_at_a_time(ben: PageClient, kai: PageClient) -> None:
    propose(ben, "disable")
    page = kai.post("/staff/stf_mia/change", {"kind": "role", "role": "lead"}, status=422)
    assert "waits already" in words(page.one("[role=alert]"))


def test_what_moved_meanwhile_is_not_confirmed(
    app: Flask, ben: PageClient, kai: PageClient
) -> None:
    change = propose(ben, "role", role="lead")
    with app.app_context():
        db.session.execute(db.text("UPDATE staff SET role = 'auditor' WHERE login = 'mia'"))
        db.session.commit()
    page = kai.post(f"/staff/changes/{change}/confirm", status=422)
    assert "changed since" in words(page.one("[role=alert]"))
    assert person(app).role == "auditor"
    assert kai.get("/staff").select("#waiting")


def test_the_last_admin_stays(app: Flask, ben: PageClient, kai: PageClient) -> None:
    change = propose(ben, "disable", "stf_kai")
    with app.app_context():
        db.session.execute(db.text("UPDATE staff SET disabled_at = now() WHERE id = 'stf_ben'"))
        found = staff_changes.find(change)
        assert found is not None
        with pytest.raises(Impossible, match="last admin"):
            staff_changes.confirm(found, "stf_eva")
        db.session.rollback()


def test_two_admins_at_once_decide_once(app: Flask, ben: PageClient) -> None:
    change = propose(ben, "password")

    def decide(_n: int) -> bool:
        with app.app_context(), app.test_request_context():
            found = staff_changes.find(change)
            try:
                return found is not None and bool(staff_changes.confirm(found, "stf_kai").token)
            except Impossible:
                return False

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(decide, range(4))) == 1


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Enter the name."),
        ({"name": "N", "login": "no ra", "role": "lead"}, "no spaces"),
        ({"name": "N", "login": "nora", "role": "boss"}, "Choose a role."),
        ({"name": "N", "login": "MIA", "role": "lead"}, "already an account"),
        ({"name": "N" * 81, "login": "nora", "role": "lead"}, "at most 80 characters"),
    ],
)
def test_a_new_account_is_refused_with_a_sentence(
    ben: PageClient, form: dict[str, str], sentence: str
) -> None:
    assert sentence in ben.post("/staff/new", form, status=422).text


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose what shall change."),
        ({"kind": "explode"}, "cannot be changed in this way"),
        ({"kind": "enable"}, "cannot be changed in this way"),
        ({"kind": "role"}, "Choose a role."),
        ({"kind": "role", "role": "support"}, "has this role already"),
        ({"kind": "name", "name": " "}, "Enter the name."),
        ({"kind": "name", "name": "4242 4242 4242 4242"}, "card number"),
        ({"kind": "name", "name": "Mia Aydin"}, "has this name already"),
    ],
)
def test_a_change_is_refused_with_a_sentence(
    ben: PageClient, form: dict[str, str], sentence: str
) -> None:
    assert sentence in ben.post("/staff/stf_mia/change", form, status=422).text


def test_the_list_is_counted_and_filtered(app: Flask, ben: PageClient) -> None:
    page = ben.get("/staff")
    assert "7 accounts" in page.text
    assert len(ben.get("/staff?role=admin").select("tbody tr")) == 2
    assert "Nobody fits" in ben.get("/staff?state=disabled").text
    assert "7 accounts" in ben.get("/staff?state=%00&role=boss").text
    assert [words(row) for row in ben.get("/staff?name=KÜHN").select("tbody th")] == ["Ada Kühn"]
    assert "Nobody fits" in ben.get("/staff?name=%25").text


@pytest.mark.parametrize("path", ["/staff/new", "/staff/stf_mia/change"])
def test_others_propose_nothing(as_role: AsRole, path: str) -> None:
    as_role("lead").post(path, {"kind": "disable"}, status=403)
