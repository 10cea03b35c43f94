"""Sentences for cases, and the names of their types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain.work import events as e
from domain.work.events import CaseType
from webapp.format import day_text
from webapp.sentences.telling import Sentence, on
from webapp.texts import _

CASE_TYPES: Final[dict[CaseType, Callable[[], str]]] = {
    CaseType.REFUND_APPROVAL: lambda: _("a refund waits for a second person"),
    CaseType.REFUND_FAILED: lambda: _("a refund failed"),
    CaseType.OUTCOME_UNRESOLVED: lambda: _("the outcome at the provider stays unknown"),
    CaseType.PAYMENT_FAILED: lambda: _("a payment failed"),
    CaseType.PAYMENT_RETURNED: lambda: _("a payment was returned"),
    CaseType.RECOVERY: lambda: _("money left us twice"),
    CaseType.PAYOUT_DIFFERS: lambda: _("a payout differs"),
    CaseType.PAYOUT_MISSING: lambda: _("a payout waits for its other half"),
    CaseType.FOREIGN_REFUND: lambda: _("a refund that is not ours"),
    CaseType.UNKNOWN_LINE: lambda: _("a bank line nobody knows"),
    CaseType.HELD_STATEMENT: lambda: _("a statement is held back"),
    CaseType.QUARANTINED_NOTIFICATION: lambda: _("a notification nobody can read"),
    CaseType.PARKED_STREAM: lambda: _("a stream is parked"),
    CaseType.PARKED_EFFECT: lambda: _("an effect is parked"),
    CaseType.PROVIDER_INCIDENT: lambda: _("a provider does not answer"),
}


def case_name(case_type: CaseType) -> str:
    return CASE_TYPES[case_type]()


on(
    e.CaseOpened,
    lambda event: Sentence(_("Case opened: %(what)s", what=case_name(event.case_type)), "warn"),
)
on(e.CaseTaken, lambda event: Sentence(_("Case taken"), "wait"))
on(
    e.CaseSnoozed,
    lambda event: Sentence(_("Case put off until %(day)s", day=day_text(event.until))),
)
on(e.CaseNoted, lambda event: Sentence(_("Note added"), note=event.note or ""))
on(
    e.CaseClosed,
    lambda event: Sentence(
        _("Case closed: its reason is gone")
        if event.how == "fact"
        else _("Case closed by a person"),
        "good",
        event.remark or "",
    ),
)
