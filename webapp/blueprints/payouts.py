"""Payouts: what the provider says it pays out, what the bank booked, and whether they are equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for

from domain.payments.settlement_events import ItemKind
from domain.readmodels import settlement_queries as queries
from domain.readmodels import stream
from domain.readmodels.settlement import PayoutState
from webapp.kontor import kontor
from webapp.permissions import permitted
from webapp.sentences import staff_names, tell, who
from webapp.texts import _
from webapp.typed import known, position

blueprint = Blueprint("payouts", __name__, url_prefix="/payouts")

STATES: Final[dict[str, tuple[str, Callable[[], str]]]] = {
    PayoutState.LISTED: ("wait", lambda: _("Listed, not arrived")),
    PayoutState.ARRIVED: ("warn", lambda: _("Arrived, not listed")),
    PayoutState.SETTLED: ("good", lambda: _("Settled")),
    PayoutState.DIFFERS: ("bad", lambda: _("Differs")),
}
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
    chosen = request.args.get("state", "")
    state = PayoutState(chosen) if chosen in STATES else None
    after = position(request.args.get("after"))
    with kontor().read() as connection:
        found = queries.payouts(connection, state, after)
    more = url_for("payouts.index", state=state, after=found.after) if found.after else ""
    html = render_template(
        "settlement/payouts.html", found=found, state=state, states=STATES, more=more
    )
    return make_response(html)


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
