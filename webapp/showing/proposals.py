"""What a case tells and proposes: a chip, a sentence, the act to start with and what to do in
words. One row per case type; where the act leads is looked up among the screens that exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import current_app, url_for

from domain.kernel.ids import prefix_of
from domain.payments.rules import code_rule, refund_code_rule
from domain.readmodels.work import CaseRow
from domain.work.events import CaseType
from webapp.format import money
from webapp.retold import retold
from webapp.sentences.codes import effect_kind, provider_name
from webapp.sentences.provider import trouble_of
from webapp.sentences.telling import Tone, reason_of, refund_reason_of
from webapp.texts import _

Words = Callable[[CaseRow], str]
Address = Callable[[CaseRow], str | None]


@dataclass(frozen=True, slots=True)
class Act:
    """Where a person starts. `dialog`: it opens in place."""

    label: str
    url: str
    dialog: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    tone: Tone
    chip: Words
    told: Words
    act: Words
    goes: Address
    advice: Words
    dialog: bool = False


def chip(case: CaseRow) -> tuple[Tone, str]:
    kind = KINDS[CaseType(case.case_type)]
    return kind.tone, kind.chip(case)


def told(case: CaseRow) -> str:
    return KINDS[CaseType(case.case_type)].told(case)


def advice(case: CaseRow) -> str:
    return KINDS[CaseType(case.case_type)].advice(case)


def act(case: CaseRow) -> Act:
    kind = KINDS[CaseType(case.case_type)]
    url = kind.goes(case)
    here = url_for("work.detail", case_id=case.case_id)
    opens = kind.dialog and url is not None and url != payment_url(case)
    return Act(kind.act(case), url or here, dialog=opens)


def may_close(case: CaseRow) -> bool:
    """A remark closes it; a refund that waits is decided on instead."""
    return case.closed_at is None and case.case_type != CaseType.REFUND_APPROVAL


def address(endpoint: str, **values: str | None) -> str | None:
    """The page of another screen; None when a value is missing."""
    if endpoint not in current_app.view_functions or None in values.values():
        return None
    given: dict[str, Any] = dict(values)
    return url_for(endpoint, **given)


def payment_url(case: CaseRow) -> str | None:
    return address("payments.detail", payment_id=case.payment_id)


def subject_url(case: CaseRow) -> str | None:
    """The page of what the case is about, where there is one."""
    if case.refund_id:
        return address("refunds.detail", refund_id=case.refund_id)
    if case.payment_id:
        return payment_url(case)
    if prefix_of(case.subject) == "po":
        return address("payouts.show", payout_id=case.subject)
    return address("statements.index") if prefix_of(case.subject) == "ln" else _stream(case)


def check_url(case: CaseRow) -> str | None:
    """Where the provider is asked again, for a case whose outcome is unknown."""
    if case.case_type != CaseType.OUTCOME_UNRESOLVED:
        return None
    if case.refund_id:
        return address("refunds.check", refund_id=case.refund_id)
    return address("payments.check", payment_id=case.payment_id)


def _close_url(case: CaseRow) -> str:
    return url_for("work.ask_close", case_id=case.case_id)


def _refund_again(case: CaseRow) -> str | None:
    if not refund_code_rule(_code(case)).again:
        return None
    return address("refunds.new", payment_id=case.payment_id)


def _stream(case: CaseRow) -> str | None:
    """The notification itself, else the page where everything set aside is listed."""
    told = {name: case.details.get(name) for name in ("provider", "notification_id")}
    return address("stream.notification", **told) or address("stream.index")


_BY_CLASS: Final[dict[str, Callable[[], str]]] = {
    "RETRY": lambda: _("Ask for a transfer"),
    "NEWACC": lambda: _("Ask for another account"),
    "STOP": lambda: _("Call the customer"),
    "NEWMAND": lambda: _("Ask for a new mandate"),
    "FIX": lambda: _("Correct the account"),
    "TECH": lambda: _("Find the cause"),
    "CASE": lambda: _("Read the code and decide"),
}


def _code(case: CaseRow) -> str:
    return case.details.get("code", "")


def _reason(case: CaseRow) -> str:
    return reason_of(_code(case), case.details.get("raw_code", ""))


def _code_advice(case: CaseRow) -> str:
    return _(code_rule(_code(case)).what_to_do)


def _code_act(case: CaseRow) -> str:
    return _BY_CLASS[code_rule(_code(case)).action]()


def _refund_or_payment(case: CaseRow) -> str:
    return _("Refund") if case.refund_id else _("Payment")


def _refund_reason(case: CaseRow) -> str:
    return refund_reason_of(_code(case), case.details.get("raw_code", ""))


def _again(case: CaseRow) -> str:
    again = refund_code_rule(_code(case)).again
    return _("Refund again…") if again else _("Look at the payment")


def _refund_advice(case: CaseRow) -> str:
    rule = refund_code_rule(_code(case))
    if not rule.again:
        return _(rule.what_to_do)
    how = _(
        "Nothing was paid; what was set aside is free again. Request the refund again, as an"
        " overpayment if it was a premium reduction: the correction document stands already."
    )
    return f"{_(rule.what_to_do)} {how}"


def _cents(case: CaseRow, name: str) -> str:
    value = case.details.get(name, "")
    return money(int(value)) if value.lstrip("-").isdigit() else ""


def _parked(case: CaseRow) -> str:
    if "timer" in case.details:
        return _(
            "A schedule of %(stream)s was refused: %(reason)s",
            stream=case.subject,
            reason=retold(case.details.get("reason")).striptags(),
        )
    return _(
        "%(reader)s cannot digest %(stream)s",
        reader=case.details.get("consumer", ""),
        stream=case.subject,
    )


KINDS: Final[dict[CaseType, Kind]] = {
    CaseType.REFUND_APPROVAL: Kind(
        tone="warn",
        chip=lambda case: _("Refund"),
        told=lambda case: _("Waits for a second person"),
        act=lambda case: _("Look and approve"),
        goes=lambda case: None,
        advice=lambda case: _(
            "Compare the request with the payment, then approve or reject it."
            " Approved money is sent at once."
        ),
    ),
    CaseType.REFUND_FAILED: Kind(
        tone="bad",
        chip=lambda case: _("Refund"),
        told=lambda case: _("Failed: %(reason)s", reason=_refund_reason(case)),
        act=_again,
        goes=lambda case: _refund_again(case) or payment_url(case),
        advice=_refund_advice,
        dialog=True,
    ),
    CaseType.OUTCOME_UNRESOLVED: Kind(
        tone="warn",
        chip=_refund_or_payment,
        told=lambda case: _("Outcome unknown: the provider gave no answer that can be trusted"),
        act=lambda case: _("Check now"),
        goes=subject_url,
        advice=lambda case: _(
            "Ask the provider again. If it surely does not know our reference, find out there"
            " what happened. Never send the money a second time by another way."
        ),
    ),
    CaseType.PAYMENT_FAILED: Kind(
        tone="bad",
        chip=lambda case: _("Payment"),
        told=lambda case: _("Failed: %(reason)s", reason=_reason(case)),
        act=_code_act,
        goes=lambda case: None,
        advice=_code_advice,
    ),
    CaseType.PAYMENT_RETURNED: Kind(
        tone="bad",
        chip=lambda case: _("Payment"),
        told=lambda case: _("Returned: %(reason)s", reason=_reason(case)),
        act=_code_act,
        goes=lambda case: None,
        advice=_code_advice,
    ),
    CaseType.RECOVERY: Kind(
        tone="bad",
        chip=lambda case: _("Payment"),
        told=lambda case: _("Money left us twice"),
        act=lambda case: _("Ask for the money back"),
        goes=lambda case: None,
        advice=lambda case: _(
            "The customer has this money twice. Ask for it back. It is no premium arrear: no"
            " reminder, and the cover goes on."
        ),
    ),
    CaseType.PAYOUT_DIFFERS: Kind(
        tone="warn",
        chip=lambda case: _("Settlement"),
        told=lambda case: _(
            "Payout differs: %(listed)s listed, %(arrived)s arrived",
            listed=_cents(case, "listed"),
            arrived=_cents(case, "arrived"),
        ),
        act=lambda case: _("Explain…"),
        goes=_close_url,
        advice=lambda case: _(
            "Find the difference between the provider's list and the bank line, and write down"
            " what explains it."
        ),
        dialog=True,
    ),
    CaseType.PAYOUT_MISSING: Kind(
        tone="warn",
        chip=lambda case: _("Settlement"),
        told=lambda case: _("A payout waits for its other half for three working days"),
        act=lambda case: _("Explain…"),
        goes=_close_url,
        advice=lambda case: _(
            "Either the provider listed it and no bank line came, or the other way round. Ask"
            " the one who is late. The case closes by itself when the other half comes."
        ),
        dialog=True,
    ),
    CaseType.FOREIGN_REFUND: Kind(
        tone="bad",
        chip=lambda case: _("Settlement"),
        told=lambda case: _(
            "A refund that nobody decided here (%(reference)s)",
            reference=case.details.get("reference", ""),
        ),
        act=lambda case: _("Explain…"),
        goes=_close_url,
        advice=lambda case: _(
            "Somebody refunded this at the provider, past Kontor. Find out who and why, and"
            " write it down."
        ),
        dialog=True,
    ),
    CaseType.UNKNOWN_LINE: Kind(
        tone="warn",
        chip=lambda case: _("Bank"),
        told=lambda case: _("A line on our statement that fits nothing"),
        act=lambda case: _("Explain…"),
        goes=_close_url,
        advice=lambda case: _("Find out what the money is for, and write it down."),
        dialog=True,
    ),
    CaseType.HELD_STATEMENT: Kind(
        tone="warn",
        chip=lambda case: _("Bank"),
        told=lambda case: _("A bank statement is held back; nothing of it was imported"),
        act=lambda case: _("Look at the reason"),
        goes=_stream,
        advice=lambda case: _(
            "Read on the Stream page why it is held. Ask the bank for a correct file; it can be"
            " uploaded at any time."
        ),
    ),
    CaseType.QUARANTINED_NOTIFICATION: Kind(
        tone="warn",
        chip=lambda case: _("Provider"),
        told=lambda case: _(
            "A notification of %(provider)s that nobody can read",
            provider=provider_name(case.details.get("provider", "")),
        ),
        act=lambda case: _("Translate again"),
        goes=_stream,
        advice=lambda case: _(
            "Read on the Stream page what is wrong with it. When the cause is mended, translate"
            " it again there."
        ),
    ),
    CaseType.PARKED_STREAM: Kind(
        tone="warn",
        chip=lambda case: _("Stream"),
        told=_parked,
        act=lambda case: _("Release"),
        goes=_stream,
        advice=lambda case: _(
            "What happens on this stream is not taken further until it is released. Mend the"
            " cause, then release it on the Stream page."
        ),
    ),
    CaseType.PARKED_EFFECT: Kind(
        tone="warn",
        chip=lambda case: _("Stream"),
        told=lambda case: _(
            "Work was given up: %(kind)s for %(stream)s",
            kind=effect_kind(case.details.get("kind", "")),
            stream=case.details.get("stream", ""),
        ),
        act=lambda case: _("Release"),
        goes=_stream,
        advice=lambda case: _(
            "A worker tried it several times. Mend the cause, then release it on the Stream page."
        ),
    ),
    CaseType.PROVIDER_INCIDENT: Kind(
        tone="bad",
        chip=lambda case: _("Provider"),
        told=lambda case: _(
            "No usable answer from %(provider)s: %(trouble)s",
            provider=provider_name(case.details.get("provider", "")),
            trouble=trouble_of(case.details.get("reason", "")),
        ),
        act=lambda case: _("Find the cause"),
        goes=lambda case: None,
        advice=lambda case: _(
            "Nothing is sent meanwhile: orders wait and are sent once, by themselves, when it"
            " answers again. Look at the provider's status page and tell the team. Never pay by"
            " another way. The case closes by itself."
        ),
    ),
}
