"""Refunds: the list, asking for one with its preview, one refund with the decisions about it. What
moves money is previewed first; the deciders say what is possible, this only shows it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, g, make_response, request, url_for

from domain.deciding import Preview
from domain.kernel.message import Command, Refused
from domain.payments.events import Reason
from domain.payments.refund import Status
from domain.payments.rules import can_still_be_returned
from domain.readmodels import payment_queries as q
from domain.readmodels.stream import cut, timeline
from domain.recording import Moved, Result
from webapp import fragments, lists
from webapp.access import security
from webapp.access.audit import audit
from webapp.access.permissions import permitted
from webapp.cards import card_problem
from webapp.kontor import kontor
from webapp.lists import refunds
from webapp.sentences import reason_effect, reason_name, refund_state, staff_names, who
from webapp.showing import asking, payment_view, refund_view
from webapp.showing.refund_form import Confirmed, Wish, read_confirmed, read_wish, wish_for
from webapp.texts import _, sentence
from webapp.typed import known, typed

blueprint = Blueprint("refunds", __name__)
PREVIEW = "div#preview"
REMARK_CHARS_MAX = 2_000


@blueprint.get("/refunds")
@permitted("payment.read")
def index() -> Response:
    asked = lists.asked_for(refunds.LIST)
    names = staff_names()
    return lists.show(
        "refunds/index.html",
        asked,
        lists.look(asked),
        refund_state=refund_state,
        reason_name=reason_name,
        who=lambda actor: who(actor, names),
    )


@blueprint.get("/payments/<payment_id>/refund")
@permitted("refund.request")
def new(payment_id: str) -> Response:
    found = _detail(payment_id)
    return _ask(found, wish_for(found.payment))


@blueprint.post("/payments/<payment_id>/refund")
@permitted("refund.request")
def create(payment_id: str) -> Response:
    """Previews while somebody types, records when they confirm what they saw."""
    found = _detail(payment_id)
    wish = read_wish(payment_id)
    if fragments.target() == PREVIEW:
        # A reason that is still missing is no mistake while somebody types.
        status = 422 if "amount" in wish.errors else 200
        context = {**_asked(found, wish), "in_part": True}
        return fragments.page_or_part("", "refunds/_preview.html", status, **context)
    if "preview" in request.form or wish.errors:
        looking = "preview" in request.form
        return _ask(found, wish, 422 if wish.errors else 200, looking=looking)
    try:
        result = _record(wish)
    except Refused as refused:
        _audit("refund.request", payment_id, refused)
        return _ask(found, wish, 422, refusal=sentence(refused))
    except Moved as error:
        return _ask(_detail(payment_id), wish, 409, moved=_moved(error, wish.confirmed))
    waits = result.events and not any(new.type == "refund-approved" for new in result.events)
    said = _("Refund requested; a second person decides.") if waits else _("Refund requested.")
    return fragments.done(url_for("payments.detail", payment_id=payment_id), _notice(result, said))


def _record(wish: Wish) -> Result:
    """A note is not part of what was previewed: it changes nothing but itself."""
    confirmed, digest = wish.confirmed, wish.confirmed.digest
    try:
        if kontor().preview(wish.command(note="")).digest == digest:
            digest = kontor().preview(wish.command()).digest
    except Refused:
        # A repeated form is answered from the command log; the rest is refused again below.
        pass
    return kontor().dispatch(wish.command(), confirmed.command_id, previewed=digest)


def _ask(asked: q.PaymentDetail, wish: Wish, status: int = 200, **more: object) -> Response:
    context = {**_asked(asked, wish), **more}
    return fragments.page_or_dialog("refunds/new.html", status, **context)


def _asked(detail: q.PaymentDetail, wish: Wish) -> dict[str, Any]:
    """The form with what the decider says about it now."""
    refusal, shown = "", None
    try:
        preview = kontor().preview(wish.probe(detail.payment))
        shown = refund_view.shown(preview, detail) if wish.complete else None
        if not preview.events:
            refusal = _("This refund was requested already; it is on the payment's page.")
    except Refused as refused:
        refusal = sentence(refused)
    return {
        "payment": detail.payment,
        "wish": wish,
        "returnable": can_still_be_returned(detail.payment.debit_on, security.now()),
        "refusal": refusal,
        "shown": shown,
        "reasons": [
            (reason.value, reason_name(reason).capitalize(), reason_effect(reason), "", False)
            for reason in Reason
        ],
    }


def _moved(error: Moved, confirmed: Confirmed) -> list[str]:
    with kontor().read() as connection:
        entries = timeline(connection, list(error.preview.versions))
    return refund_view.moved(error.preview, confirmed.versions, entries)


def _detail(payment_id: str) -> q.PaymentDetail:
    known(payment_id, "pay")
    with kontor().read() as connection:
        found = q.detail(connection, payment_id)
    if found is None:
        abort(404)
    return found


def _audit(act: str, subject: str, refused: Refused) -> None:
    audit(act, "refused", subject, reason=refused.message, reference=g.reference)


def _notice(result: Result, said: str) -> str:
    if not result.events:
        return _("Nothing was recorded: it is so already.")
    if kontor().wait_visible(result):
        return said
    return said + " " + _("It is recorded; the screen is catching up.")


@blueprint.get("/refunds/<refund_id>")
@permitted("payment.read")
def detail(refund_id: str) -> Response:
    known(refund_id, "rf")
    with kontor().read() as connection:
        found = q.refund(connection, refund_id)
        if found is None:
            abort(404)
        refund, payment = found.refund, found.payment
        entries = timeline(connection, refund_view.streams(refund))
    version = payment_view.version(refund.version, entries) + asking.version(found.asking)
    if fragments.wants_fragment() and request.args.get("v") == version:
        return make_response("", 304)
    names = staff_names()
    own = [entry for entry in entries if entry.stream != refund.payment_id]
    context: dict[str, Any] = {
        "version": version,
        "refund": refund,
        "payment": payment,
        "state": refund_state(refund.status),
        "steps": refund_view.pipeline(refund),
        "warning": payment_view.refund_warning(refund, found.asking),
        "decisions": refund_view.decisions(refund, entries),
        "case_id": refund_view.open_case(refund, entries),
        "told": payment_view.told(own, names),
        "cut": len(own) if cut(entries) else 0,
        "requested_by": who(refund.requested_by, names),
        "decided_by": who(refund.decided_by, names),
        "reason": reason_name(refund.reason),
        "effect": reason_effect(refund.reason),
    }
    return fragments.page_or_part("refunds/show.html", "refunds/_refund.html", **context)


def _found(refund_id: str) -> q.RefundDetail:
    known(refund_id, "rf")
    with kontor().read() as connection:
        found = q.refund(connection, refund_id)
    if found is None:
        abort(404)
    return found


@blueprint.get("/refunds/<refund_id>/approve")
@permitted("refund.approve")
def ask_approve(refund_id: str) -> Response:
    return _decide("approve", refund_id)


@blueprint.post("/refunds/<refund_id>/approve")
@permitted("refund.approve")
def approve(refund_id: str) -> Response:
    """Without the digest of a preview nothing was seen, so the preview is shown first."""
    refund = _found(refund_id).refund
    confirmed = read_confirmed()
    if not confirmed.digest:
        return _decide("approve", refund_id)
    command = refund_view.approval(refund)
    return _send("approve", refund_id, command, confirmed, _("Refund approved."))


@blueprint.get("/refunds/<refund_id>/reject")
@permitted("refund.reject")
def ask_reject(refund_id: str) -> Response:
    return _decide("reject", refund_id)


@blueprint.post("/refunds/<refund_id>/reject")
@permitted("refund.reject")
def reject(refund_id: str) -> Response:
    refund = _found(refund_id).refund
    remark = typed(request.form.get("remark"), REMARK_CHARS_MAX)
    if not remark:
        asked = "remark" in request.form
        errors = {"remark": _("Say why, for the person who asked.")} if asked else {}
        return _decide("reject", refund_id, 422 if asked else 200, errors=errors)
    if problem := card_problem(remark):
        return _decide("reject", refund_id, 422, errors={"remark": problem})
    command = refund_view.rejection(refund, remark)
    return _send("reject", refund_id, command, read_confirmed(), _("Refund rejected."))


@blueprint.get("/refunds/<refund_id>/withdraw")
@permitted("refund.withdraw")
def ask_withdraw(refund_id: str) -> Response:
    return _decide("withdraw", refund_id)


@blueprint.post("/refunds/<refund_id>/withdraw")
@permitted("refund.withdraw")
def withdraw(refund_id: str) -> Response:
    refund = _found(refund_id).refund
    command = refund_view.withdrawal(refund)
    return _send("withdraw", refund_id, command, read_confirmed(), _("Refund withdrawn."))


def _send(act: str, refund_id: str, command: Command, confirmed: Confirmed, said: str) -> Response:
    digest = confirmed.digest or None
    try:
        result = kontor().dispatch(command, confirmed.command_id, previewed=digest)
    except Refused as refused:
        _audit(f"refund.{act}", refund_id, refused)
        return _decide(act, refund_id, 422, refusal=sentence(refused))
    except Moved as error:
        return _decide(act, refund_id, 409, moved=_moved(error, confirmed))
    return fragments.done(url_for("refunds.detail", refund_id=refund_id), _notice(result, said))


def _decide(act: str, refund_id: str, status: int = 200, **more: object) -> Response:
    """The dialog of one decision: what it would record, or why it cannot be taken."""
    found = _found(refund_id)
    refund, payment = found.refund, found.payment
    commands: dict[str, Command] = {
        "approve": refund_view.approval(refund),
        "reject": refund_view.rejection(refund, ""),
        "withdraw": refund_view.withdrawal(refund),
    }
    preview: Preview | None = None
    refusal = ""
    try:
        preview = kontor().preview(commands[act])
    except Refused as refused:
        refusal = sentence(refused)
    context: dict[str, Any] = {
        "act": act,
        "returnable": can_still_be_returned(payment.debit_on, security.now()),
        "refund": refund,
        "payment": payment,
        "refusal": refusal,
        "shown": refund_view.shown(preview) if preview and preview.events else None,
        "command_id": read_confirmed().command_id,
        "requested_by": who(refund.requested_by, staff_names()),
        "reason": reason_name(refund.reason),
        "effect": reason_effect(refund.reason),
        "remark": request.form.get("remark", ""),
        **more,
    }
    return fragments.page_or_dialog("refunds/decide.html", status, **context)


@blueprint.post("/refunds/<refund_id>/check")
@permitted("payment.check_now")
def check(refund_id: str) -> Response:
    found = _found(refund_id)
    if why := asking.shut(found.payment.provider):
        return fragments.done(url_for("refunds.detail", refund_id=refund_id), why)
    asked = kontor().ask_again(refund_id)
    unknown = found.refund.status is Status.OUTCOME_UNKNOWN
    notice = asking.notice(asked, unknown, found.payment.provider)
    return fragments.done(url_for("refunds.detail", refund_id=refund_id), notice)
