"""What the flows would do next, for previews: one sentence per effect, timer or command."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar, cast

from domain.invoices import commands as invoices
from domain.kernel.message import Command, Effect, Timer
from domain.payments import commands as payments
from domain.payments.settlement_commands import MatchLine
from domain.work.commands import CloseCase, OpenCase, OpenCaseWhileWaiting
from webapp.format import day_text, instant_text, money
from webapp.sentences.telling import refund_reason_of
from webapp.sentences.work import case_name
from webapp.texts import _

C = TypeVar("C", bound=Command)
_EFFECTS: Final[dict[str, Callable[[Effect], str]]] = {
    "submit_payment": lambda effect: _(
        "A worker submits the payment on %(at)s", at=instant_text(effect.due_at)
    ),
    "submit_refund": lambda effect: _("A worker sends the refund to the provider at once"),
    "render": lambda effect: _("A worker makes the PDF"),
    "probe_provider": lambda effect: _(
        "A worker asks from time to time whether the provider answers"
    ),
}
_TIMERS: Final[dict[str, Callable[[Timer], str]]] = {
    "bill_instalment": lambda timer: _(
        "The next instalment is billed on %(at)s", at=instant_text(timer.due_at)
    ),
    "expire_refund": lambda timer: _(
        "Without a decision the request expires on %(at)s", at=instant_text(timer.due_at)
    ),
    "review_payout": lambda timer: _(
        "The payout is looked at again on %(at)s", at=instant_text(timer.due_at)
    ),
}
_COMMANDS: dict[type[Command], Callable[[Command], str]] = {}


def _on(kind: type[C], words: Callable[[C], str]) -> None:
    _COMMANDS[kind] = cast(Callable[[Command], str], words)


def follows(reactions: Iterable[Effect | Timer | Command]) -> list[str]:
    """In the order in which the flows answer. Raises KeyError where a sentence is missing."""
    return [_follow(reaction) for reaction in reactions]


def _follow(reaction: Effect | Timer | Command) -> str:
    match reaction:
        case Effect():
            return _EFFECTS[reaction.kind](reaction)
        case Timer():
            return _TIMERS[reaction.kind](reaction)
        case _:
            return _COMMANDS[type(reaction)](reaction)


_on(invoices.IssueInvoice, lambda command: _("The invoice is issued with the next number"))
_on(
    invoices.IssueCorrection,
    lambda command: _(
        "A correction document over %(amount)s is issued with the next number",
        amount=money(command.amount),
    ),
)
_on(
    invoices.ApplyReceipt,
    lambda command: _("%(amount)s count towards what is owed", amount=money(command.amount)),
)
_on(
    invoices.ReverseReceipt,
    lambda command: _("%(amount)s are owed again", amount=money(command.amount)),
)
_on(invoices.ReleaseCollection, lambda command: _("What is owed is open again"))
_on(
    invoices.RefundReceipt,
    lambda command: _("%(amount)s less count as received", amount=money(command.amount)),
)
_on(
    invoices.RestoreReceipt,
    lambda command: _("%(amount)s count as received again", amount=money(command.amount)),
)
_on(
    payments.SchedulePayment,
    lambda command: _(
        "A payment of %(amount)s is scheduled for %(day)s",
        amount=money(command.amount),
        day=day_text(command.debit_on),
    ),
)
_on(
    payments.AnnouncePayment,
    lambda command: _("The debit is announced for %(day)s", day=day_text(command.debit_on)),
)
_on(
    payments.AdjustRecovery,
    lambda command: _("What left us twice is set to %(amount)s", amount=money(command.amount)),
)
_on(
    payments.FailRefund,
    lambda command: _(
        "The refund fails: %(reason)s", reason=refund_reason_of(command.code, command.raw_code)
    ),
)
_on(payments.MarkPaymentPaidOut, lambda command: _("A payment is marked as paid out"))
_on(payments.MarkRefundPaidOut, lambda command: _("A refund is marked as paid out"))
_on(payments.SettlePayment, lambda command: _("A payment is settled"))
_on(payments.SettleRefund, lambda command: _("A refund is settled"))
_on(MatchLine, lambda command: _("The bank line is matched with a payout"))
_on(
    OpenCase,
    lambda command: _("A case opens in Work: %(what)s", what=case_name(command.case_type)),
)
_on(
    OpenCaseWhileWaiting,
    lambda command: _("A case opens in Work: %(what)s", what=case_name(command.case_type)),
)
_on(CloseCase, lambda command: _("An open case about this closes"))
