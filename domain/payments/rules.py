"""The tables behind payment decisions: limits, reasons, windows, ISO codes and what to do about
them. Each row says where it comes from."""

import re
from datetime import UTC, date, datetime, timedelta

from domain.kernel.money import Cents
from domain.kernel.time import add_target_days, berlin_date, next_target_day
from domain.kernel.value import Value
from domain.payments.events import Reason


class ReasonRule(Value):
    """`corrects`: a correction document, and owed and applied fall (STORY, money rules)."""

    corrects: bool


REASONS: dict[Reason, ReasonRule] = {
    Reason.PREMIUM_REDUCTION: ReasonRule(corrects=True),
    Reason.OVERPAYMENT: ReasonRule(corrects=False),
    Reason.GOODWILL: ReasonRule(corrects=False),
}


class ApprovalLimit(Value):
    """Refunds of one payment over this sum within the window need a second person."""

    version: int
    valid_from: datetime
    amount: Cents
    window: timedelta


APPROVAL_LIMITS: tuple[ApprovalLimit, ...] = (
    ApprovalLimit(
        version=1,
        valid_from=datetime(2020, 1, 1, tzinfo=UTC),
        amount=100_00,
        window=timedelta(days=30),
    ),
)
APPROVER_ROLES = frozenset({"operations", "finance", "lead"})
APPROVAL_EXPIRES_AFTER = timedelta(days=14)


def approval_limit(at: datetime) -> ApprovalLimit:
    """The limit that is valid at `at`."""
    return [limit for limit in APPROVAL_LIMITS if limit.valid_from <= at][-1]


RETURN_TARGET_DAYS = 5
"""DOMAIN_RULES S5: the payer's bank returns a Core debit until D+5 TARGET."""
NO_REASON_WEEKS = 8
"""DOMAIN_RULES S5: the payer gets the money back without a reason for eight weeks."""


def last_return_day(debit_on: date) -> date:
    return add_target_days(debit_on, RETURN_TARGET_DAYS)


def first_refund_day(debit_on: date) -> date:
    """D 1 Dec 2026 -> 9 Dec 2026 (STORY, money rules)."""
    return next_target_day(last_return_day(debit_on))


def reversible_until(debit_on: date) -> date:
    """D 1 Dec 2026 -> 26 Jan 2027 (S11)."""
    return debit_on + timedelta(weeks=NO_REASON_WEEKS)


def can_still_be_returned(debit_on: date, at: datetime) -> bool:
    return berlin_date(at) <= reversible_until(debit_on)


class CodeRule(Value):
    """What a reason code means and the class of DOMAIN_RULES R4 that says what to do."""

    meaning: str
    action: str
    what_to_do: str


_RETRY = "Collect again later, at most twice, after a new announcement; then ask for a transfer."
_NEW_ACCOUNT = "Ask the customer for another account; do not debit this one again."
_STOP = "Stop debiting; talk to the customer first."
_NEW_MANDATE = "Stop debiting; ask for a new mandate."
_FIX = "Stop debiting; correct the account with the customer, then collect again."
_OURS = "Nothing for the customer: a defect or timing on our side or the bank's. Find the cause."
_DECIDE = "Nobody has met this code yet: read the provider's own word and decide."

CODES: dict[str, CodeRule] = {
    "AC01": CodeRule(meaning="The account number is wrong.", action="FIX", what_to_do=_FIX),
    "AC04": CodeRule(meaning="The account is closed.", action="NEWACC", what_to_do=_NEW_ACCOUNT),
    "AC06": CodeRule(meaning="The account is blocked.", action="STOP", what_to_do=_STOP),
    "AM04": CodeRule(meaning="Not enough money.", action="RETRY", what_to_do=_RETRY),
    "MD01": CodeRule(
        meaning="The customer says there is no mandate.", action="STOP", what_to_do=_NEW_MANDATE
    ),
    "MD06": CodeRule(
        meaning="The customer asked for the money back.", action="STOP", what_to_do=_STOP
    ),
    "MD07": CodeRule(meaning="The payer has died.", action="STOP", what_to_do=_STOP),
    "MS02": CodeRule(meaning="The payer refused the debit.", action="STOP", what_to_do=_STOP),
    "MS03": CodeRule(meaning="The bank gives no reason.", action="RETRY", what_to_do=_RETRY),
    "notice-late": CodeRule(
        meaning="The announcement came too late for this debit date.",
        action="TECH",
        what_to_do=_OURS,
    ),
    "mandate-revoked": CodeRule(
        meaning="The mandate was revoked before the debit.",
        action="NEWMAND",
        what_to_do=_NEW_MANDATE,
    ),
}
UNKNOWN_CODE = CodeRule(meaning="Unknown code.", action="CASE", what_to_do=_DECIDE)


def code_rule(code: str) -> CodeRule:
    """R4, last row: an unknown code becomes a case and never a crash."""
    return CODES.get(code, UNKNOWN_CODE)


class RefundCodeRule(CodeRule):
    """The same for a refund that failed. `again`: asking for it once more pays nobody twice."""

    again: bool


_REFUND_LATER = "Refund again in some days, when payments have filled the balance at the provider."
_ONCE_MORE = "Refund once more. If that fails too, ask the customer for another account."
_OTHER_ACCOUNT = "Ask the customer for another account: this one takes no refund."
_WHO_DID = "Find out who cancelled it at the provider and why, then refund again."
_COMPARE = "Compare this payment with the one at the provider before anything is refunded again."
_NOT_AGAIN = "Do not refund again: the customer gets the money back by the dispute."


def _refund_code(
    meaning: str, action: str, what_to_do: str, *, again: bool = True
) -> RefundCodeRule:
    return RefundCodeRule(meaning=meaning, action=action, what_to_do=what_to_do, again=again)


REFUND_CODES: dict[str, RefundCodeRule] = {
    # Why a refund failed later: the provider's failure reasons, or its last status.
    "account_closed": _refund_code("The account is closed.", "NEWACC", _OTHER_ACCOUNT),
    "lost_or_stolen_card": _refund_code(
        "The customer's card was lost or stolen.", "NEWACC", _OTHER_ACCOUNT
    ),
    "expired_or_canceled_card": _refund_code(
        "The customer's card is not valid any more.", "NEWACC", _OTHER_ACCOUNT
    ),
    "charge_for_pending_refund_disputed": _refund_code(
        "The customer disputed the debit while the refund was on its way.",
        "STOP",
        _NOT_AGAIN,
        again=False,
    ),
    "insufficient_funds": _refund_code(
        "Not enough money with the provider.", "RETRY", _REFUND_LATER
    ),
    "declined": _refund_code("The customer's bank declined the refund.", "RETRY", _ONCE_MORE),
    "merchant_request": _refund_code("It was cancelled on our own request.", "TECH", _WHO_DID),
    "unknown": _refund_code("The provider gives no reason.", "RETRY", _ONCE_MORE),
    "failed": _refund_code("The provider gives no reason.", "RETRY", _ONCE_MORE),
    "canceled": _refund_code("It was cancelled at the provider.", "TECH", _WHO_DID),
    # Why a refund was refused at once.
    "balance_insufficient": _refund_code(
        "Not enough money with the provider.", "RETRY", _REFUND_LATER
    ),
    "charge_already_refunded": _refund_code(
        "The provider has returned all of this payment already.", "TECH", _COMPARE, again=False
    ),
    "charge_disputed": _refund_code(
        "The customer disputed the debit.", "STOP", _NOT_AGAIN, again=False
    ),
    "amount_too_large": _refund_code(
        "The provider has less left of this payment.", "TECH", _COMPARE, again=False
    ),
    "resource_missing": _refund_code(
        "The provider does not know this payment.", "TECH", _COMPARE, again=False
    ),
    # Why it was never sent (STORY 8 and 10).
    "reservation-gone": _refund_code(
        "The money was no longer set aside when the refund was about to be sent.",
        "TECH",
        "Look at the payment: the debit was returned in the meantime.",
        again=False,
    ),
    "debit-returned": _refund_code(
        "The debit was returned before the refund was sent.",
        "TECH",
        "Nothing was paid. The customer has the money back already.",
        again=False,
    ),
}
UNKNOWN_REFUND_CODE = _refund_code("Unknown code.", "CASE", _DECIDE)


def refund_code_rule(code: str) -> RefundCodeRule:
    """Refunds carry the provider's own word; the codes of debits would give wrong advice here."""
    return REFUND_CODES.get(code, UNKNOWN_REFUND_CODE)


PAYOUT_SENDERS: dict[str, re.Pattern[str]] = {
    "stripe": re.compile(r"\bstripe\b", re.IGNORECASE),
}
"""The sender of each provider's payouts. Their EndToEndId is the payout's trace id (STORY 5)."""
_NO_REFERENCE = "NOTPROVIDED"


def payout_provider(counterparty: str | None, reference: str | None) -> str | None:
    """Whose payout a credit line is; None without a reference or a sender that we know."""
    if not reference or reference == _NO_REFERENCE:
        return None
    for provider, sender in PAYOUT_SENDERS.items():
        if sender.search(counterparty or ""):
            return provider
    return None
