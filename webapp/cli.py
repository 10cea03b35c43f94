"""`./run staff`: accounts on the command line (add, list, disable, demo). The first login of a
production house is made here."""

from __future__ import annotations

import hashlib
import secrets
import sys
from dataclasses import dataclass
from functools import cache
from typing import Final

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from webapp.access import accounts, passwords, second_factor, sessions
from webapp.access.audit import audit
from webapp.access.permissions import SECOND_FACTOR, Role
from webapp.models import NOW, Staff, db


@dataclass(frozen=True, slots=True)
class Demo:
    """An account of the sandbox, shown with its password on the login page."""

    login: str
    name: str
    role: Role

    @property
    def id(self) -> str:
        return f"stf_{self.login}"

    @property
    def password(self) -> str:
        return f"hafenlicht-{self.login}"

    @property
    def totp(self) -> bytes:
        """The secret of the second factor: as open as the password, because the login page of
        the sandbox shows its codes."""
        seed = f"hafenlicht second factor {self.login}".encode()
        return hashlib.sha256(seed).digest()[: second_factor.SECRET_BYTES]


DEMO_STAFF: Final = (
    Demo("mia", "Mia Aydin", Role.SUPPORT),
    Demo("jon", "Jon Ott", Role.OPERATIONS),
    Demo("ada", "Ada Kühn", Role.FINANCE),
    Demo("eva", "Eva Lorenz", Role.LEAD),
    Demo("uwe", "Uwe Petersen", Role.AUDITOR),
    Demo("ben", "Ben Sommer", Role.ADMIN),
    # The second admin, without whom no account ever changes.
    Demo("kai", "Kai Jensen", Role.ADMIN),
)

# In the trail, instead of a person.
SERVER: Final = "command-line"

staff_commands = AppGroup("staff", help="Staff accounts: add, list, disable.")


def add_demo_staff() -> None:
    """Makes the sandbox's accounts; those that exist stay as they are."""
    if not current_app.extensions["kontor.settings"].sandbox:
        raise click.ClickException("Demo accounts exist in the sandbox only.")
    known = set(db.session.scalars(select(Staff.id)))
    for demo in DEMO_STAFF:
        if demo.id not in known:
            _insert(demo.id, demo.login, demo.name, demo.role, _demo_hash(demo.password))
            if demo.role in SECOND_FACTOR:
                second_factor.keep(db.session.get_one(Staff, demo.id), demo.totp)
    db.session.commit()


@staff_commands.command("demo", help="Make the sandbox's demo accounts.")
def demo() -> None:
    add_demo_staff()
    for account in DEMO_STAFF:
        click.echo(f"{account.role:<12}{account.login:<6}{account.password}")


@staff_commands.command("add", help="Add a person: LOGIN NAME ROLE. The password is asked for.")
@click.argument("login")
@click.argument("name")
@click.argument("role", type=click.Choice([str(role) for role in Role]))
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def add(login: str, name: str, role: str, password_stdin: bool) -> None:
    login, name = accounts.read_login(login), accounts.read_name(name)
    if problem := accounts.login_problem(login) or accounts.name_problem(name):
        raise click.ClickException(problem)
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if reason := passwords.weakness(password, login):
        raise click.ClickException(reason)
    staff_id = f"stf_{secrets.token_hex(8)}"
    hashed = passwords.hash_password(password)
    if not _insert(staff_id, login, name, Role(role), hashed):
        raise click.ClickException(f"There is already an account {login}.")
    _trail(staff_id, "add", before="", after=role)
    click.echo(f"{name} can log in as {login} ({role}).")


@staff_commands.command("list", help="List all accounts.")
def list_all() -> None:
    for person in db.session.scalars(select(Staff).order_by(Staff.login)):
        state = "disabled" if person.disabled_at else ""
        click.echo(f"{person.login:<20}{person.role:<12}{person.name}  {state}".rstrip())


@staff_commands.command("disable", help="Disable an account and end its sessions: LOGIN.")
@click.argument("login")
def disable(login: str) -> None:
    staff_id = db.session.execute(
        update(Staff)
        .where(Staff.login == login.strip().lower())
        .values(disabled_at=NOW)
        .returning(Staff.id)
    ).scalar_one_or_none()
    if staff_id is None:
        raise click.ClickException(f"There is no account {login}.")
    sessions.end_all(staff_id)
    _trail(staff_id, "disable", before="active", after="disabled")
    click.echo(f"{login} can no longer log in.")
    admins = select(func.count()).where(Staff.role == Role.ADMIN.value, Staff.disabled_at.is_(None))
    if not db.session.scalar(admins):
        click.echo(
            "No admin is left: nobody can manage accounts in the browser. Add two of them with"
            " ./run staff add LOGIN NAME admin.",
            err=True,
        )


def _trail(staff_id: str, kind: str, *, before: str, after: str) -> None:
    """Whoever has the server needs no second admin, but leaves the same trail."""
    detail = {"kind": kind, "asked_by": SERVER, "before": before, "after": after}
    audit("staff.confirm", "allowed", staff_id, reason=kind, staff_id=SERVER, detail=detail)


@cache
def _demo_hash(password: str) -> str:
    """These passwords are printed on the login page; hashing each of them once is enough."""
    return passwords.hash_password(password)


def _insert(staff_id: str, login: str, name: str, role: Role, hashed: str) -> bool:
    made = db.session.execute(
        insert(Staff)
        .values(
            id=staff_id,
            login=login,
            name=name,
            role=role.value,
            password_hash=hashed,
        )
        .on_conflict_do_nothing(index_elements=["login"])
        .returning(Staff.id)
    )
    return made.one_or_none() is not None
