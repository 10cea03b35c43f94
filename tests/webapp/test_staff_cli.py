"""`./run staff`: accounts on the command line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from flask import Flask
from sqlalchemy import select

from config import ROOT, Settings
from tests.pages import PageClient
from tests.servers import environment
from tests.webapp.test_login import try_login
from webapp.models import Audit, HalfLogin, Staff, StaffSession, db

GOOD = "a long and odd pass phrase"


def run(app: Flask, *arguments: str, stdin: str = "") -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["staff", *arguments], input=stdin)
    return result.exit_code, result.output


def test_adds_a_person_who_can_log_in(app: Flask, anonymous: PageClient) -> None:
    code, output = run(
        app, "add", "Nora", "Nora Ek", "support", "--password-stdin", stdin=f"{GOOD}\n"
    )
    assert (code, output) == (0, "Nora Ek can log in as nora (support).\n")
    assert try_login(anonymous, "nora", GOOD, 303) == ""
    with app.app_context():
        nora = db.session.scalars(select(Staff).where(Staff.login == "nora")).one()
        trace = db.session.scalars(select(Audit).where(Audit.subject == nora.id)).one()
    assert nora.id.startswith("stf_")
    assert "nora" not in nora.id
    assert (trace.act, trace.outcome, trace.reason) == ("staff.confirm", "allowed", "add")
    assert (trace.staff_id, (trace.detail or {})["after"]) == ("command-line", "support")


def test_asks_for_the_password_twice(app: Flask) -> None:
    code, output = run(app, "add", "nora", "Nora Ek", "lead", stdin=f"{GOOD}\n{GOOD}\n")
    assert code == 0
    assert GOOD not in output


@pytest.mark.parametrize(
    ("login", "role", "password", "sentence"),
    [
        ("nora", "lead", "short", "at least 12 characters"),
        ("nora", "lead", "x" * 300, "at most 256 characters"),
        ("nora", "lead", "aaaaaaaaaaaaaaaa", "too easy"),
        ("nora", "lead", "nora-nora-1234", "too easy"),
        ("nora", "boss", GOOD, "'boss' is not one of"),
        ("mia", "lead", GOOD, "already an account mia"),
        ("no ra", "lead", GOOD, "no spaces"),
        ("", "lead", GOOD, "A user name has 1 to 80 characters"),
    ],
)
def test_refuses_with_a_sentence(
    app: Flask, login: str, role: str, password: str, sentence: str
) -> None:
    code, output = run(
        app, "add", login, "Nora Ek", role, "--password-stdin", stdin=f"{password}\n"
    )
    assert code != 0
    assert sentence in output


@pytest.mark.parametrize(
    ("name", "sentence"), [(" ", "Enter the name."), ("N" * 500, "at most 80 characters")]
)
def test_a_name_is_checked_as_in_the_browser(app: Flask, name: str, sentence: str) -> None:
    code, output = run(app, "add", "nora", name, "lead", "--password-stdin", stdin=f"{GOOD}\n")
    assert code != 0
    assert sentence in output


def test_lists_and_disables(app: Flask, anonymous: PageClient) -> None:
    assert try_login(anonymous, "ben", "hafenlicht-ben", 303) == ""
    assert "ben                 admin       Ben Sommer\n" in run(app, "list")[1]
    assert run(app, "disable", "BEN") == (0, "BEN can no longer log in.\n")
    assert "Ben Sommer  disabled" in run(app, "list")[1]
    with app.app_context():
        assert not db.session.scalars(select(StaffSession)).all()
        assert not db.session.scalars(select(HalfLogin)).all()
        trace = db.session.scalars(select(Audit).where(Audit.act == "staff.confirm")).one()
    assert (trace.staff_id, trace.subject, trace.reason) == ("command-line", "stf_ben", "disable")
    assert run(app, "disable", "nobody")[0] != 0
    assert "No admin is left" in run(app, "disable", "kai")[1]


def test_demo_accounts_are_made_once(app: Flask) -> None:
    assert run(app, "demo")[0] == 0
    with app.app_context():
        assert len(db.session.scalars(select(Staff)).all()) == 7


def test_an_admin_made_here_sets_up_the_second_factor_first(
    app: Flask, anonymous: PageClient
) -> None:
    run(app, "add", "nora", "Nora Ek", "admin", "--password-stdin", stdin=f"{GOOD}\n")
    token = anonymous.get("/login").select("input[name=csrf_token]")[0].get("value")
    page = anonymous.post("/login", {"login": "nora", "password": GOOD}, csrf=token)
    assert page.location == "/login/setup"


def test_the_command_of_the_jobs_hands_over(app: Flask, settings: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "jobs.staff", "list"],
        cwd=ROOT,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Ada Kühn" in done.stdout
