"""Payouts: what the provider says it pays out, what the bank booked, and whether they are equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Blueprint, Response, abort, make_response, render_template

from domain.payments.settlement_events import ItemKind
from domain.readmodels import settlement_queries as queries
from domain.readmodels import stream
from webapp import lists
from webapp.access.permissions import permitted
from webapp.kontor import kontor
from webapp.lists.settlement import PAYOUT_LIST, STATES
from webapp.sentences import staff_names, tell, who
from webapp.texts import _
from webapp.typed import known

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
    return lists.show("settlement/payouts.html", asked, lists.look(asked), states=STATES)


@blueprint.get("/<payout_id>")
@permitted("payment.read")
def show(payout_id: str) -> Response:
    known(payout_id, "po")
    with kontor().read() as connection:
        payout = queries.payout(connection, payout_id)
        entries = stream.timeline(connection, [payout_id]) if payout else []
    if payout is None:
        abort(404)
    names = staff_names()
    html = render_template(
        "settlement/payout.html",
        payout=payout,
        row=payout.row,
        states=STATES,
        kinds=KINDS,
        gross=sum(item.amount for item in payout.items),
        fees=sum(item.fee for item in payout.items),
        timeline=[(one, tell(one.event), who(one.actor, names)) for one in entries],
    )
    return make_response(html)
