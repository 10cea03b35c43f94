"""Contracts: the filtered list, one contract with its schedule, money, documents and cases, and the
recorded look at the account behind its mandate."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, url_for

from domain.readmodels import contract_queries as q
from domain.readmodels import timelines
from webapp import lists
from webapp.access import full_iban
from webapp.access.permissions import permitted
from webapp.kontor import kontor
from webapp.lists.contracts import LIST
from webapp.sentences import payment_state
from webapp.showing import balance_view, document_view, history, proposals
from webapp.showing import contract_view as view
from webapp.typed import known

blueprint = Blueprint("contracts", __name__, url_prefix="/contracts")


@blueprint.get("")
@permitted("customer.read")
def index() -> Response:
    asked = lists.asked_for(LIST)
    page = lists.look(asked)
    return lists.show("contracts/index.html", asked, page, standing=balance_view.standing)


@blueprint.get("/<contract_id>")
@permitted("customer.read")
def detail(contract_id: str) -> Response:
    known(contract_id, "ct")
    wanted = history.wanted()
    with kontor().read() as connection:
        found = q.detail(connection, contract_id)
        if found is None:
            abort(404)
        happened = timelines.of_contract(connection, contract_id, wanted)
    row = found.contract
    html = render_template(
        "contracts/detail.html",
        found=found,
        contract=row,
        chips=[*view.chips(row), *balance_view.chips(row, found.owes_back)],
        steps=view.pipeline(row),
        schedule=view.schedule(found),
        parts=balance_view.parts(row, found.money, balance_view.of_contract(row)),
        history=history.history(happened, "contracts.detail", contract_id=contract_id),
        view=view,
        rate=document_view.rate,
        size=document_view.size,
        document_chip=document_view.document_chip,
        money_chip=document_view.money_chip,
        payment_state=payment_state,
        case_chip=proposals.chip,
        case_told=proposals.told,
    )
    return make_response(html)


@blueprint.get("/<contract_id>/iban")
@permitted("iban.full")
def iban(contract_id: str) -> Response:
    known(contract_id, "ct")
    with kontor().read() as connection:
        found = q.detail(connection, contract_id)
    if found is None or found.mandate is None:
        abort(404)
    back = url_for("contracts.detail", contract_id=contract_id)
    return full_iban.look(found.mandate.mandate_id, found.mandate.reference, back)
