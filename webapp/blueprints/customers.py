"""Customers: the filtered list, one customer with balance, contracts, money on the move and one
timeline over all services, and what stands beside a payment. Looks at a customer are recorded."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from domain.readmodels import customer_queries as q
from domain.readmodels import timelines
from webapp import fragments, lists
from webapp.access import audit
from webapp.access.permissions import permitted
from webapp.kontor import kontor
from webapp.lists.customers import LIST
from webapp.showing import balance_view, history, proposals
from webapp.showing import customer_view as view
from webapp.typed import known

blueprint = Blueprint("customers", __name__, url_prefix="/customers")


@blueprint.get("")
@permitted("customer.read")
def index() -> Response:
    asked = lists.asked_for(LIST)
    return lists.show("customers/index.html", asked, lists.look(asked))


@blueprint.get("/<customer_id>")
@permitted("customer.read")
def detail(customer_id: str) -> Response:
    """Shows address and e-mail, so each look leaves a row in the audit trail."""
    known(customer_id, "cus")
    wanted = history.wanted()
    with kontor().read() as connection:
        found = q.detail(connection, customer_id)
        if found is None:
            abort(404)
        happened = timelines.of_customer(connection, customer_id, wanted)
    audit.look("customer.read", customer_id)
    row = found.customer
    parts = balance_view.parts(row, found.money, balance_view.of_customer(customer_id))
    html = render_template(
        "customers/detail.html",
        found=found,
        customer=row,
        chips=balance_view.chips(row, row.owes_back),
        parts=parts,
        balance_columns=[(part.label, "num") for part in parts],
        moving=view.moving(found),
        history=history.history(happened, "customers.detail", customer_id=customer_id),
        view=view,
        standing=balance_view.standing,
        case_chip=proposals.chip,
        case_told=proposals.told,
    )
    return make_response(html)


@blueprint.get("/<customer_id>/beside")
@permitted("customer.read")
def beside(customer_id: str) -> AnyResponse:
    """The lines that a payment's page loads by itself; on its own the customer's page."""
    known(customer_id, "cus")
    if not fragments.wants_fragment():
        return redirect(url_for("customers.detail", customer_id=customer_id))
    with kontor().read() as connection:
        found = q.beside(connection, customer_id)
    if found is None:
        abort(404)
    html = render_template(
        "customers/_beside.html", customer_id=customer_id, told=view.told_beside(found)
    )
    return make_response(html)
