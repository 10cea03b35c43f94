"""Payouts: what the provider says it pays out, what the bank booked, and whether they are equal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for

from domain.payments.settlement_events import ItemKind
from domain.readmodels import settlement_queries as queries
from domain.readmodels import stream
from domain.readmodels.lists import PAGE
from domain.work.commands import case_id
from domain.work.events import CaseType
from webapp import lists
from webapp.access.permissions import permitted
from webapp.kontor import kontor
from webapp.lists.settlement import PAYOUT_LIST, STATES
from webapp.sentences import staff_names, tell, who
from webapp.texts import _
from webapp.typed import known, position

blueprint = Blueprint("payouts", __name__, url_prefix="/payouts")

KINDS: Final[dict[str, Callable[[], str]]] = {
    ItemKind.PAYMENT: lambda: _("Payment"),
    ItemKind.REFUND: lambda: _("Refund"),
    ItemKind.REFUND_FAILURE: lambda: _("Failed refund"),
    ItemKind.RETURN: lambda: _("Returned debit"),
    ItemKind.OTHER: lambda: _("Other"),
}


@blueprint.get("")
@permitted("payment.read")
def index() -> Response:
    asked = lists.asked_for(PAYOUT_LIST)
    page = lists.look(asked)
    with kontor().read() as connection:
        waiting = queries.negative(connection)
    return lists.show("settlement/payouts.html", asked, page, states=STATES, waiting=waiting)


@blueprint.get("/<payout_id>")
@permitted("payment.read")
def show(payout_id: str) -> Response:
    known(payout_id, "po")
    after = position(request.args.get("after")) or 0
    with kontor().read() as connection:
        payout = queries.payout(connection, payout_id, after)
        entries = stream.timeline(connection, [payout_id]) if payout else []
    if payout is None or (after and not payout.items):
        abort(404)
    names = staff_names()
    html = render_template(
        "settlement/payout.html",
        payout=payout,
        row=payout.row,
        states=STATES,
        kinds=KINDS,
        gross=payout.gross,
        fees=payout.fees,
        after=after,
        page=PAGE,
        turn=partial(_turn, payout_id),
        cut=stream.cut(entries),
        case_id=case_id(CaseType.PAYOUT_DIFFERS, payout_id),
        timeline=[(one, tell(one.event), who(one.actor, names)) for one in entries],
    )
    return make_response(html)


def _turn(payout_id: str, after: int) -> str:
    """The page with the items behind that one."""
    return url_for("payouts.show", payout_id=payout_id, after=after or None, _anchor="items")
