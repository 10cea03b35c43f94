"""`/style`: every part in every state, for people who build screens and for the tests that look at
contrast. Its data is made up and shown nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from flask import Blueprint, Response, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from domain.readmodels.lists import Count, Kind, Page, Place, Way, terms_of, text_of
from webapp import fragments, lists
from webapp.access import security
from webapp.access.permissions import permitted
from webapp.access.proving import Question
from webapp.errors import words
from webapp.lists import payments, views
from webapp.texts import _

UNBROKEN = "Wohngebäudeversicherungsbeitragsrückerstattungsbescheid" * 2
"""German has words without an end; they must not push a page wider than its window."""

LIST: Final = replace(payments.LIST, endpoint="style.index")
"""The payments' filters and headings over rows that are made up."""
SHOWN: Final = 5
VIEWS: Final = 9
"""One more than stand side by side."""
SAMPLE: Final = {
    Kind.TEXT: "a",
    Kind.NUMBER: "1",
    Kind.DAY: "2026-11-01",
    Kind.INSTANT: "2026-11-01T08:00:00+00:00",
    Kind.UUID: "00000000-0000-4000-8000-000000000000",
}

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
        **_list_parts(),
    }
    return make_response(render_template("style/index.html", **context))


def _list_parts() -> dict[str, Any]:
    """A list in the middle, with filters set and one of them not understood."""
    chosen = MultiDict([("status", "confirmed"), ("status", "returned"), ("amount", "1.234")])
    asked = lists.read(LIST, request.args or chosen)
    wrong = replace(asked, errors=asked.errors or {"amount": _("Enter an amount.")})
    own = [
        views.View(
            id=str(n),
            listing=LIST.name,
            name=_("View %(number)s", number=n),
            query=f"status=confirmed&sort={n}",
            shared=n > 2,
            own=n < 3,
        )
        for n in range(1, VIEWS + 1)
    ]
    texts = tuple(SAMPLE[term.kind] for term in terms_of(LIST.source, asked.order))
    place = Place(
        way=Way.AFTER, sort=text_of(asked.order), values=texts[:-1], key=texts[-1], position=SHOWN
    )
    page = Page[Any](
        rows=(None,) * SHOWN,
        count=Count(number=10_000, capped=True),
        first=SHOWN + 1,
        before=place,
        after=place,
    )
    return {
        "asked": replace(asked, errors={}),
        "wrong": wrong,
        "nowhere": replace(asked, errors={}, place=place),
        "filtered": replace(asked, errors={}, place=None),
        "unfiltered": replace(asked, errors={}, place=None, given={}),
        "views": views.Views(own, None, "status=confirmed"),
        "page": page,
        "page_position": lists.position,
        "filters_set": lists.filters_set,
    }


@blueprint.get("/dialog")
@permitted("style.read")
def dialog() -> Response:
    if request.args.get("ask") == "proof":
        question = Question(url_for("style.save"), [], with_code=True, error="", status=200)
        return fragments.page_or_dialog("auth/prove.html", asked=question)
    return fragments.page_or_dialog("style/dialog.html")


@blueprint.post("/dialog")
@permitted("style.read")
def save() -> Response:
    """Always answers that a field is missing: the state that is hardest to see otherwise."""
    errors = {"remark": _("Write a remark.")}
    return fragments.page_or_dialog("style/dialog.html", 422, errors=errors)


def _working_day(day: date) -> date:
    return day + timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
