"""What a refund's failure means: every word of the provider has a row of its own, and nobody is
told to pay a second time."""

from __future__ import annotations

import pytest

from domain.payments.rules import CODES, REFUND_CODES, refund_code_rule
from webapp.faults import FAILURES, REFUSALS

PROVIDER_REASONS = (
    "account_closed",
    "lost_or_stolen_card",
    "expired_or_canceled_card",
    "charge_for_pending_refund_disputed",
    "insufficient_funds",
    "declined",
    "merchant_request",
    "unknown",
)


@pytest.mark.parametrize("code", sorted({*PROVIDER_REASONS, *FAILURES, *REFUSALS}))
def test_every_failure_of_a_refund_has_a_row(code: str) -> None:
    rule = refund_code_rule(code)
    assert rule.meaning != "Unknown code."
    assert rule.action != "CASE"
    assert rule.what_to_do


def test_the_tables_of_debits_and_refunds_share_no_code() -> None:
    """The provider's word for an empty account means ours in a refund, the payer's in a debit."""
    assert not CODES.keys() & REFUND_CODES.keys()
    assert "provider" in refund_code_rule("insufficient_funds").meaning
    assert refund_code_rule("AM04").action == "CASE"


def test_what_went_back_another_way_is_not_refunded_again() -> None:
    final = {code for code, rule in REFUND_CODES.items() if not rule.again}
    assert final == {
        "amount_too_large",
        "charge_already_refunded",
        "charge_disputed",
        "charge_for_pending_refund_disputed",
        "debit-returned",
        "reservation-gone",
        "resource_missing",
    }
    assert refund_code_rule("a_word_nobody_knows").again
