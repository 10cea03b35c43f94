"""`/style`: every part in every state, for people who build screens and for the tests that look at
contrast. Its data is made up and shown nowhere else."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, Response, make_response, render_template

from webapp import fragments
from webapp.access import security
from webapp.access.permissions import permitted
from webapp.errors import words
from webapp.texts import _

UNBROKEN = "Wohngebäudeversicherungsbeitragsrückerstattungsbescheid" * 2
"""German has words without an end; they must not push a page wider than its window."""

blueprint = Blueprint("style", __name__, url_prefix="/style")


@blueprint.get("")
@permitted("style.read")
def index() -> Response:
    today = security.today()
    context = {
        "at": security.now(),
        "soon": _working_day(today + timedelta(days=3)),
        "late": today - timedelta(days=5),
        "errors": {"amount": _("Enter an amount."), "reason": _("Choose a reason.")},
        "words": words,
        "long": _("A sentence that is longer than its place usually is, as German ones often are"),
        "unbroken": UNBROKEN,
    }
    return make_response(render_template("style/index.html", **context))


@blueprint.get("/dialog")
@permitted("style.read")
def dialog() -> Response:
    return fragments.page_or_dialog("style/dialog.html")


@blueprint.post("/dialog")
@permitted("style.read")
def save() -> Response:
    """Always answers that a field is missing: the state that is hardest to see otherwise."""
    errors = {"remark": _("Write a remark.")}
    return fragments.page_or_dialog("style/dialog.html", 422, errors=errors)


def _working_day(day: date) -> date:
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
