"""Payments: the filtered list with its export, one payment with its story, asking the provider now,
and the recorded look at a full IBAN. Refunds have their own module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    render_template,
    request,
    stream_with_context,
    url_for,
)

from domain.payments.mandate import Mandate
from domain.payments.payment import Status
from domain.readmodels import payment_queries as q
from domain.readmodels.payments import PaymentRow
from domain.readmodels.stream import timeline
from webapp import asking, fragments, payment_view, spreadsheet
from webapp import format as fmt
from webapp.audit import audit
from webapp.kontor import kontor
from webapp.payment_filters import Asked, read_filters
from webapp.permissions import permitted
from webapp.sentences import PAYMENT_STATES, payment_state, reason_name, refund_state, staff_names
from webapp.spreadsheet import Plain
from webapp.texts import _
from webapp.typed import known

blueprint = Blueprint("payments", __name__, url_prefix="/payments")


@blueprint.get("")
@permitted("payment.read")
def index() -> Response:
    asked = read_filters()
    with kontor().read() as connection:
        if asked.errors:
            page, count = q.Listing(rows=(), shown=0, after=None), q.Count(number=0, capped=False)
        else:
            page = q.listing(connection, asked.filters, asked.sort, asked.after)
            count = q.count(connection, asked.filters)
    context: dict[str, Any] = {
        "asked": asked,
        "page": page,
        "count": count,
        "states": [(status.value, words()) for status, (_t, words) in PAYMENT_STATES.items()],
        "payment_state": payment_state,
    }
    html = render_template("payments/index.html", **context)
    answer = make_response(html, 422 if asked.errors else 200)
    if fragments.is_htmx() and not asked.after:
        # The address in the bar holds no empty filters.
        answer.headers["HX-Replace-Url"] = asked.url()
    return answer


@blueprint.get("/export.csv")
@permitted("payment.read")
def export() -> Response:
    asked = read_filters()
    if asked.errors:
        abort(400)
    answer = Response(stream_with_context(_csv(asked)), mimetype="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="payments.csv"'
    return answer


def _csv(asked: Asked) -> Iterator[str]:
    head = [_("Payment"), _("Debit"), _("Customer"), _("Contract"), _("Invoice"), _("State")]
    head += [_("Amount"), _("Refunded"), _("Reference")]
    with kontor().read() as connection:
        rows = q.export(connection, asked.filters, asked.sort)
        yield from spreadsheet.lines(head, map(_cells, rows))


def _cells(row: PaymentRow) -> list[str]:
    texts = [row.payment_id, fmt.day_text(row.debit_on), row.customer]
    texts += [row.contract_number, row.invoice_number, payment_state(row.status)[1]]
    sums = [Plain(fmt.money_plain(row.amount)), Plain(fmt.money_plain(row.refunded))]
    return [*texts, *sums, row.reference]


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
    asked = kontor().ask_again(payment_id)
    notice = asking.notice(asked, payment.status is Status.OUTCOME_UNKNOWN, payment.provider)
    return fragments.done(url_for("payments.detail", payment_id=payment_id), notice)


@blueprint.get("/<payment_id>/iban")
@permitted("iban.full")
def iban(payment_id: str) -> Response:
    """The one place of the full number; each look leaves a row in the audit trail."""
    payment = _detail(payment_id).payment
    audit("iban.full", "allowed", payment.mandate_id)
    mandate = kontor().state(payment.mandate_id)
    number = mandate.iban if isinstance(mandate, Mandate) else None
    return fragments.page_or_dialog("payments/iban.html", payment=payment, number=number)
