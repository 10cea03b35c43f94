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
    "reservation-gone": CodeRule(
        meaning="The money was no longer set aside when the refund was about to be sent.",
        action="TECH",
        what_to_do="Look at the payment: the debit was returned in the meantime.",
    ),
    "debit-returned": CodeRule(
        meaning="The debit was returned before the refund was sent.",
        action="TECH",
        what_to_do="Nothing was paid. The customer has the money back already.",
    ),
}
UNKNOWN_CODE = CodeRule(meaning="Unknown code.", action="CASE", what_to_do=_DECIDE)


def code_rule(code: str) -> CodeRule:
    """R4, last row: an unknown code becomes a case and never a crash."""
    return CODES.get(code, UNKNOWN_CODE)


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
