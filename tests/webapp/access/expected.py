"""The access matrix: every route, role and method with the status it must answer, made from the
app's addresses, the permission table and `outcomes`; never from what the app answered.
`python -m tests.webapp.access.expected` writes it anew."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import Rule

from tests.addresses import made_up
from tests.architecture.routes import sandbox_app
from tests.webapp.access.outcomes import (
    ANONYMOUS,
    FORBIDDEN,
    HALF,
    LOOKS,
    NOT_ALLOWED,
    NOTHING,
    OK,
    SEE_OTHER,
    WRITES,
    Outcome,
)
from webapp.access.permissions import ACTS, HALF_OPEN, MACHINE, PUBLIC, Role, act_of, may

FILE = Path(__file__).with_name("matrix.json")
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
LOOKING = ("GET", "HEAD")
WHO = (ANONYMOUS, HALF, *Role)
# Somebody of that role whose last proof is too old; asked only where it matters.
STALE = "stale "
Matrix = dict[str, dict[str, int]]
"""`GET /payments` -> who -> status."""


class NoOutcome(Exception):
    """A route that nobody has said what to expect of."""


def matrix(app: Flask) -> Matrix:
    """All cells. Raises NoOutcome for a write without a line in `outcomes.WRITES`."""
    table: Matrix = {}
    for path in sorted(rules(app)):
        for method in METHODS:
            met = _met(app, path, method)
            who = (*WHO, *_stale(method, met.act if met else ""))
            table[f"{method} {path}"] = {one: _cell(method, met, one) for one in who}
    return table


def rules(app: Flask) -> dict[str, Rule]:
    """One rule per address; which methods it takes is a matter of the table."""
    return {rule.rule: rule for rule in app.url_map.iter_rules()}


@dataclass(frozen=True)
class Met:
    """What an address and a method lead to. `other`: to another rule, as an id it never gave out
    (`GET /work/bulk` is a look at the case "bulk")."""

    path: str
    act: str
    other: bool


def _met(app: Flask, path: str, method: str) -> Met | None:
    """By the app's own router, which knows no roles; None when it refuses the method."""
    router = app.url_map.bind("localhost")
    try:
        rule, _values = router.match(made_up(rules(app)[path]), method, return_rule=True)
    except MethodNotAllowed:
        return None
    return Met(rule.rule, str(act_of(app, rule.endpoint)), rule.rule != path)


def _stale(method: str, act: str) -> list[str]:
    if act not in ACTS or not ACTS[act].fresh or method in (*LOOKING, "OPTIONS"):
        return []
    return [f"{STALE}{role}" for role in Role if may(role, act, sandbox=True)]


def _cell(method: str, met: Met | None, who: str) -> int:
    if met is None:
        return NOT_ALLOWED
    if who.startswith(STALE):
        return FORBIDDEN
    if met.act == HALF_OPEN and who != HALF:
        return SEE_OTHER
    if met.act not in (PUBLIC, MACHINE, HALF_OPEN):
        if who in (ANONYMOUS, HALF):
            return SEE_OTHER
        if not may(Role(who), met.act, sandbox=True):
            return FORBIDDEN
    return _outcome(method, met, who)


def _outcome(method: str, met: Met, who: str) -> int:
    if method == "OPTIONS":
        return OK
    if met.other:
        return NOTHING
    key = re.sub(r"^/data/\w+/", "/data/<>/", met.path)
    found: Outcome | None = LOOKS.get(key, OK) if method in LOOKING else WRITES.get(key)
    if found is None:
        raise NoOutcome(f"say in tests/webapp/access/outcomes.py what {method} {met.path} answers")
    return found if isinstance(found, int) else found.get(who, found[""])


def in_file() -> Matrix:
    known: Matrix = json.loads(FILE.read_text())
    return known


def as_text(table: Matrix) -> str:
    """One line per route and method, so that a change is one line of a diff."""
    lines = (f" {json.dumps(route)}: {json.dumps(cells)}" for route, cells in table.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FILE.write_text(as_text(matrix(sandbox_app(Path(folder)))))
