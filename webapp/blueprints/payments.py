"""Payments: the list, one payment with its story, asking the provider now, and the recorded look at
a full IBAN. Refunds have their own module."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, make_response, request, url_for

from domain.payments.payment import Status
from domain.readmodels import payment_queries as q
from domain.readmodels.stream import cut, timeline
from webapp import fragments, lists
from webapp.access import full_iban
from webapp.access.permissions import permitted
from webapp.kontor import kontor
from webapp.lists.payments import LIST, columns, day_kind, day_of
from webapp.sentences import payment_state, reason_name, refund_state, staff_names
from webapp.showing import asking, payment_view
from webapp.typed import known

blueprint = Blueprint("payments", __name__, url_prefix="/payments")


@blueprint.get("")
@permitted("payment.read")
def index() -> Response:
    asked = lists.asked_for(LIST)
    day = day_kind(asked)
    return lists.show(
        "payments/index.html",
        asked,
        lists.look(asked),
        day=day,
        columns=columns(day),
        day_of=day_of,
        payment_state=payment_state,
    )


def _detail(payment_id: str) -> q.PaymentDetail:
    known(payment_id, "pay")
    with kontor().read() as connection:
        found = q.detail(connection, payment_id)
    if found is None:
        abort(404)
    return found


@blueprint.get("/<payment_id>")
@permitted("payment.read")
def detail(payment_id: str) -> Response:
    known(payment_id, "pay")
    with kontor().read() as connection:
        found = q.detail(connection, payment_id)
        if found is None:
            abort(404)
        entries = timeline(connection, payment_view.streams(found))
    version = payment_view.version(found.version, entries) + asking.version(found.asking)
    if fragments.wants_fragment() and request.args.get("v") == version:
        return make_response("", 304)
    lines, net, final = payment_view.money(found)
    context: dict[str, Any] = {
        "payment": found.payment,
        "refunds": found.refunds,
        "version": version,
        "chips": payment_view.chips(found),
        "steps": payment_view.pipeline(found.payment),
        "warning": payment_view.warning(found.payment, found.asking),
        "lines": lines,
        "net": net,
        "final": final,
        "told": payment_view.told(entries, staff_names()),
        "cut": cut(entries),
        "no_refund": payment_view.why_no_refund(found, entries),
        "waiting": payment_view.waits(found.payment),
        "refund_state": refund_state,
        "reason_name": reason_name,
    }
    return fragments.page_or_part("payments/detail.html", "payments/_payment.html", **context)


@blueprint.post("/<payment_id>/check")
@permitted("payment.check_now")
def check(payment_id: str) -> Response:
    payment = _detail(payment_id).payment
    if why := asking.shut(payment.provider):
        return fragments.done(url_for("payments.detail", payment_id=payment_id), why)
    asked = kontor().ask_again(payment_id)
    notice = asking.notice(asked, payment.status is Status.OUTCOME_UNKNOWN, payment.provider)
    return fragments.done(url_for("payments.detail", payment_id=payment_id), notice)


@blueprint.get("/<payment_id>/iban")
@permitted("iban.full")
def iban(payment_id: str) -> Response:
    payment = _detail(payment_id).payment
    back = url_for("payments.detail", payment_id=payment_id)
    return full_iban.look(payment.mandate_id, payment.mandate_reference, back)
