"""The Sandbox page: the Clock, faults on demand, the simulator's book beside our view of it, and
the bank's statements. It exists in the sandbox only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import uuid4

from flask import Blueprint, Response, g, make_response, render_template, request, url_for

from domain.kernel.message import Refused
from domain.operating import advancing
from domain.payments.settlement_commands import payout_id
from domain.readmodels import providers, sandbox
from domain.readmodels import settlement_queries as settlement
from webapp import faults, fragments, simulator
from webapp.access import security
from webapp.access.audit import audit
from webapp.access.permissions import permitted
from webapp.format import parse_day
from webapp.kontor import kontor
from webapp.showing import asking
from webapp.simulator import Json, SimulatorAway
from webapp.texts import _, sentence

blueprint = Blueprint("sandbox", __name__, url_prefix="/sandbox")
FORTNIGHT_DAYS: Final = 14
SHOWN_MAX: Final = 50
STATEMENTS_MAX: Final = 12
"""The newest of each; the counts beside them are complete."""
BOOKS: Final = {"payment_intent": "payment", "refund": "refund", "payout": "payout"}


@dataclass(frozen=True, slots=True)
class Beside:
    """An object of the simulator beside what our stream says about it. `ours` is "" when it
    carries no id of ours."""

    id: str
    ours: str
    amount: int
    status: str
    state: str
    agrees: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A statement as the bank wrote it."""

    id: str
    from_on: date
    to_on: date
    opening: int
    closing: int
    lines: int


@blueprint.get("")
@permitted("sandbox.read")
def index() -> Response:
    kind = request.args.get("book", "")
    kind = kind if kind in BOOKS else "payment_intent"
    away = ""
    book: Json = {}
    bank: Json = {}
    set_faults: list[str] = []
    try:
        book, bank = simulator.ask("GET", "/book"), simulator.ask("GET", "/bank")
        set_faults = faults.active(simulator.ask("GET", "/faults"))
    except SimulatorAway as error:
        away = str(error)
    written = bank.get("statements", [])
    with kontor().read() as connection:
        advance = advancing.latest(connection)
        ours = settlement.by_reference(connection, [one["id"] for one in written[-STATEMENTS_MAX:]])
    html = render_template(
        "sandbox/index.html",
        away=away,
        advance=advance,
        faults=set_faults,
        kind=kind,
        counts={one: len(book.get(one, [])) for one in BOOKS},
        objects=_beside(kind, book),
        statements=[_told(one) for one in reversed(written[-STATEMENTS_MAX:])],
        written=len(written),
        balance=bank.get("balance"),
        imported=ours,
    )
    return make_response(html)


@blueprint.get("/clock")
@permitted("sandbox.read")
def clock() -> Response:
    """The panel alone, asked for every two seconds while the Clock moves."""
    with kontor().read() as connection:
        advance = advancing.latest(connection)
    if advance is None or not advance.open:
        return fragments.go(url_for("sandbox.index"))
    if not fragments.is_htmx():
        return fragments.go(url_for("sandbox.index"))
    return make_response(render_template("sandbox/_clock.html", advance=advance))


@blueprint.post("/clock")
@permitted("sandbox.clock")
def move() -> Response:
    try:
        target = _target(request.form, security.now())
        advancing.request(kontor(), uuid4(), target, f"staff:{g.staff.id}")
    except Refused as error:
        audit("sandbox.clock", "refused", reason=error.message, reference=g.reference)
        return fragments.done(url_for("sandbox.index"), sentence(error))
    audit("sandbox.clock", "allowed", reference=g.reference)
    return fragments.done(url_for("sandbox.index"), _("The Clock moves."))


@blueprint.post("/clock/stop")
@permitted("sandbox.clock")
def stop() -> Response:
    stopping = advancing.cancel(kontor())
    notice = _("The Clock stops after this step.") if stopping else _("The Clock stands already.")
    return fragments.done(url_for("sandbox.index"), notice)


@blueprint.get("/faults")
@permitted("sandbox.read")
def show_faults() -> Response:
    try:
        current = simulator.ask("GET", "/faults")
    except SimulatorAway as error:
        return _faults_page({}, {"form": _away(error)}, 503)
    return _faults_page(faults.values(current), {})


@blueprint.post("/faults")
@permitted("sandbox.faults")
def save_faults() -> Response:
    clear = "clear" in request.form
    order, problems = ({}, {}) if clear else faults.parse(request.form)
    if problems:
        return _faults_page(dict(request.form.items()), problems, 422)
    try:
        simulator.ask("PUT", "/faults", order)
    except SimulatorAway as error:
        return _faults_page(dict(request.form.items()), {"form": _away(error)}, 503)
    audit("sandbox.faults", "allowed", reference=g.reference)
    if order.get("outage", {}).get("mode", "none") == "none":
        _ask_at_once()
    notice = _("All faults are off.") if not order else _("The faults are set.")
    return fragments.done(url_for("sandbox.index"), notice)


def _ask_at_once() -> None:
    """Nothing is wrong any more: nobody has to wait out a pause that belonged to the outage."""
    with kontor().read() as connection:
        found = providers.providers(connection)
    for one in found:
        asking.ask_provider(one.provider)


def _faults_page(values: Mapping[str, str], errors: dict[str, str], status: int = 200) -> Response:
    return fragments.page_or_dialog(
        "sandbox/faults.html", status, groups=faults.GROUPS, values=values, errors=errors
    )


def _away(error: SimulatorAway) -> str:
    return _("The simulator did not take it, nothing was changed: %(why)s", why=str(error))


def _target(form: Mapping[str, str], now: datetime) -> datetime:
    """What the button says. Raises Refused for a date that is none."""
    match form.get("to", ""):
        case "next":
            return advancing.next_banking_day(now)
        case "fortnight":
            return advancing.by_days(now, FORTNIGHT_DAYS)
        case _:
            typed = form.get("date", "").strip()
            if not typed:
                raise Refused("Choose a date. The Clock stands where it stood.")
            return advancing.office_time(parse_day(typed))


def _beside(kind: str, book: Json) -> list[Beside]:
    """The newest objects of one kind, each with our stream of the same operation."""
    objects = book.get(kind, [])[-SHOWN_MAX:][::-1]
    returned = {one["payment_intent"] for one in book.get("dispute", [])}
    streams = {one["id"]: _our_stream(kind, one) for one in objects}
    with kontor().read() as connection:
        facts = sandbox.facts(connection, [stream for stream in streams.values() if stream])
    rows = []
    for one in objects:
        ours = facts.get(streams[one["id"]])
        status = "returned" if one["id"] in returned else str(one["status"])
        rows.append(
            Beside(
                id=one["id"],
                ours=streams[one["id"]],
                amount=one["amount"],
                status=status,
                state=sandbox.state(ours),
                agrees=sandbox.agree(kind, status, one["amount"], ours),
            )
        )
    return rows


def _told(one: Json) -> Told:
    return Told(
        id=one["id"],
        from_on=date.fromisoformat(one["from"]),
        to_on=date.fromisoformat(one["to"]),
        opening=one["opening"],
        closing=one["closing"],
        lines=one["lines"],
    )


def _our_stream(kind: str, one: Json) -> str:
    if kind == "payout":
        return payout_id("stripe", str(one["trace_id"]["value"]))
    return str(one["metadata"].get("operation_id", ""))
