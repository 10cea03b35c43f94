"""The System page: processes, readers, effects, queues, timers, providers, checks and backups, and
what was set aside with its release. It counts and links, and asks a silent provider at once; every
other act is the Stream page's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Blueprint, Response, abort, g, make_response, render_template, request, url_for

from domain.operating import bells, machinery
from domain.operating.machinery import Machinery, System
from domain.readmodels.providers import provider
from webapp import fragments
from webapp.access import security
from webapp.access.audit import audit
from webapp.access.permissions import permitted
from webapp.kontor import kontor
from webapp.observing import build
from webapp.sentences.codes import provider_name
from webapp.sentences.provider import trouble_of
from webapp.showing import asking
from webapp.texts import _, ngettext
from webapp.typed import typed

blueprint = Blueprint("system", __name__, url_prefix="/system")

PROCESSES: Final[dict[str, tuple[Callable[[], str], int]]] = {
    "follower": (lambda: _("Follower"), 30),
    "ticker": (lambda: _("Ticker"), 30),
    "worker:effects": (lambda: _("Worker for orders and notifications"), 120),
    "worker:documents": (lambda: _("Worker for documents"), 120),
    "worker:exports": (lambda: _("Worker for exports"), 120),
}
"""A process and after how many seconds of silence something is wrong with it."""
CIRCUITS: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    "closed": ("good", lambda: _("answers")),
    "half-open": ("warn", lambda: _("being asked again")),
    "open": ("bad", lambda: _("nothing is sent")),
}
TONES: Final = {"parked": "bad", "unknown": "warn", "waiting": "wait", "leased": "wait"}
NAME_MAX: Final = 40
"""No provider is called anything longer."""
LATE_S: Final = 120
"""Work that is due for longer than this is not merely busy."""
DAY_S: Final = 24 * 3600
CHECK_S, BACKUP_S, RESTORE_S = 26 * 3600, 26 * 3600, 8 * DAY_S
"""Nightly with two hours to spare, weekly with a day: the alerts' own limits."""


@dataclass(frozen=True, slots=True)
class Line:
    """A fact with how it is: good, wait, warn, bad, or nothing to say."""

    name: str
    tone: str
    words: str


@blueprint.get("")
@permitted("system.read")
def index() -> Response:
    system = machinery.look(kontor())
    rings = bells.rings(security.settings().redis_url)
    html = render_template(
        "system/index.html",
        system=system,
        health=system.machinery,
        refusals=system.machinery.refusals,
        overview=_overview(system, rings),
        processes=_processes(system.machinery),
        rings=rings,
        proofs=_proofs(system.machinery),
        circuits=CIRCUITS,
        tones=TONES,
        trouble_of=trouble_of,
        late_s=LATE_S,
        since=since,
        build=f"{build.version()} {build.commit()}".strip(),
        mode=security.settings().mode,
    )
    return make_response(html)


@blueprint.post("/ask")
@permitted("provider.ask")
def ask() -> Response:
    """Whether a silent provider answers again: now, instead of after the pause."""
    name = typed(request.form.get("provider"), NAME_MAX)
    with kontor().read() as connection:
        if not name or provider(connection, name) is None:
            abort(404)
    if not asking.ask_provider(name):
        return fragments.done(url_for("system.index"), _("Nothing was asked: it answers already."))
    audit("provider.ask", "allowed", name, reference=g.reference)
    said = _("%(provider)s is asked now.", provider=provider_name(name))
    return fragments.done(url_for("system.index"), said)


def since(seconds: float) -> str:
    """`40 s`, `12 min`, `3 h`, `2 days`: as exact as a person needs."""
    whole = int(seconds)
    if whole < 2 * 60:
        return _("%(count)s s", count=whole)
    if whole < 2 * 3600:
        return _("%(count)s min", count=whole // 60)
    if whole < 2 * DAY_S:
        return _("%(count)s h", count=whole // 3600)
    days = whole // DAY_S
    return ngettext("%(count)s day", "%(count)s days", days)


def _overview(system: System, rings: dict[str, int] | None) -> list[Line]:
    """The first look: is anything wrong at all?"""
    seen = system.machinery
    aside = seen.aside.all
    slowest = max((one.lag_s for one in seen.readers), default=0.0)
    shut = [one.provider for one in system.providers if one.circuit != "closed"]
    return [
        _line(_("Screens"), system.books is not None, _("built"), _("being built"), "wait"),
        _line(
            _("Readers"),
            slowest < LATE_S,
            _("up to date") if slowest < 1 else _("%(time)s behind", time=since(slowest)),
            _("%(time)s behind", time=since(slowest)),
        ),
        _line(
            _("Valkey"), rings is not None, _("answers"), _("away: slower, nothing is lost"), "warn"
        ),
        _line(_("Providers"), not shut, _("answer"), ", ".join(shut)),
        _line(
            _("Set aside"),
            not aside,
            _("nothing"),
            ngettext("%(count)s thing", "%(count)s things", aside),
        ),
        _line(
            _("Timers"),
            seen.timers.oldest_s < LATE_S,
            _("in time"),
            _("%(time)s late", time=since(seen.timers.oldest_s)),
        ),
    ]


def _line(name: str, fine: bool, good: str, bad: str, tone: str = "bad") -> Line:
    return Line(name, "good" if fine else tone, good if fine else bad)


def _processes(seen: Machinery) -> list[Line]:
    """Known ones always, also when they never said anything."""
    beats = {one.name: one.age_s for one in seen.beats}
    lines = []
    for name in [*PROCESSES, *sorted(beats.keys() - PROCESSES.keys() - {"readyz"})]:
        words, patience = PROCESSES.get(name, (lambda name=name: name, LATE_S))
        age = beats.get(name)
        if age is None:
            lines.append(Line(words(), "wait", _("has not said anything yet")))
        else:
            told = _("%(time)s ago", time=since(age))
            silent = _("silent for %(time)s", time=since(age))
            lines.append(_line(words(), age < patience, told, silent))
    return lines


def _proofs(seen: Machinery) -> list[Line]:
    """The last check, backup and restore test, and whether they are too long ago."""
    broken = sum(one.value for one in seen.observations if one.kind == "check")
    check = _last(_("Check of the invariants"), seen.age_of("check"), CHECK_S)
    if broken and seen.age_of("check") is not None:
        words = ngettext("%(count)s violation", "%(count)s violations", broken)
        check = Line(check.name, "bad", words)
    return [
        check,
        _last(_("Backup"), seen.age_of("backup"), BACKUP_S),
        _last(_("Restore test"), seen.age_of("restore-test"), RESTORE_S),
    ]


def _last(name: str, age: float | None, limit: float) -> Line:
    if age is None:
        return Line(name, "warn", _("never yet"))
    return Line(name, "good" if age < limit else "bad", _("%(time)s ago", time=since(age)))
