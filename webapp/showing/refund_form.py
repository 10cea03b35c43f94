"""The refund form: what somebody typed, and what they confirmed. It understands and decides no
business; what cannot be read is said at its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import msgspec
from flask import abort, request

from domain.kernel.ids import MalformedId, derive, read_id, shard_of
from domain.kernel.message import Refused
from domain.kernel.money import Cents
from domain.payments.commands import RequestRefund
from domain.payments.events import Reason
from domain.readmodels.payments import PaymentRow
from webapp.cards import card_problem
from webapp.format import money_plain, parse_amount
from webapp.showing.refund_view import actor
from webapp.texts import _, sentence
from webapp.typed import typed

AMOUNT_CHARS_MAX = 40
NOTE_CHARS_MAX = 2_000
"""A note is a few sentences; a longer one is a pasted letter."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the confirm button carries: the digest and the versions of the preview above it."""

    command_id: UUID
    digest: str
    versions: dict[str, int]


@dataclass(frozen=True, slots=True)
class Wish:
    """A refund that is being asked for. `cents` and `reason` are None while they are unclear."""

    payment_id: str
    refund_id: str
    amount: str
    cents: Cents | None
    reason: Reason | None
    note: str
    confirmed: Confirmed
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return self.cents is not None and self.reason is not None

    def command(self, note: str | None = None) -> RequestRefund:
        if self.cents is None or self.reason is None:
            raise ValueError("an unclear wish is no command")
        return self._request(self.cents, self.reason, self.note if note is None else note)

    def probe(self, payment: PaymentRow) -> RequestRefund:
        """What can be previewed already: a reason without a rule of its own stands for none, what
        is left (or all of it) for no amount. The note is no part of a preview."""
        cents = self.cents or payment.left or payment.amount
        return self._request(cents, self.reason or Reason.OVERPAYMENT, "")

    def _request(self, cents: Cents, reason: Reason, note: str) -> RequestRefund:
        return RequestRefund(
            by=actor(),
            refund_id=self.refund_id,
            payment_id=self.payment_id,
            amount=cents,
            reason=reason,
            note=note,
        )


def wish_for(payment: PaymentRow) -> Wish:
    """The form as it opens: everything that is left."""
    return Wish(
        payment_id=payment.payment_id,
        refund_id=derive("rf", payment.payment_id, uuid4()),
        amount=money_plain(payment.left) if payment.left else "",
        cents=payment.left or None,
        reason=None,
        note="",
        confirmed=Confirmed(uuid4(), "", {}),
    )


def read_wish(payment_id: str) -> Wish:
    form = request.form
    errors: dict[str, str] = {}
    cents, reason = None, None
    try:
        cents = parse_amount(form.get("amount", ""))
    except Refused as refused:
        errors["amount"] = sentence(refused)
    try:
        reason = Reason(form.get("reason", ""))
    except ValueError:
        errors["reason"] = _("Choose a reason.")
    note = typed(form.get("note"), NOTE_CHARS_MAX + 1)
    if len(note) > NOTE_CHARS_MAX:
        errors["note"] = _("Write a shorter note.")
    elif problem := card_problem(note):
        errors["note"] = problem
    return Wish(
        payment_id=payment_id,
        refund_id=_refund_id(payment_id, form.get("refund_id", "")),
        amount=typed(form.get("amount"), AMOUNT_CHARS_MAX),
        cents=cents,
        reason=reason,
        note=note,
        confirmed=read_confirmed(),
        errors=errors,
    )


def _refund_id(payment_id: str, sent: str) -> str:
    """The id that came with the form; it has to lie on the payment's shard."""
    try:
        near = shard_of(read_id(sent, "rf")) == shard_of(read_id(payment_id, "pay"))
    except MalformedId:
        near = False
    if not near:
        abort(400)
    return sent


def read_confirmed() -> Confirmed:
    """A form without a readable command id gets a new one: sending it twice is two commands, and
    each is decided on its own."""
    try:
        command_id = UUID(request.form.get("command_id", ""))
    except ValueError:
        command_id = uuid4()
    try:
        versions = msgspec.json.decode(request.form.get("versions", ""), type=dict[str, int])
    except msgspec.MsgspecError:
        versions = {}
    return Confirmed(command_id, request.form.get("digest", ""), versions)
