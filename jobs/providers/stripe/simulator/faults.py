"""What can be made to go wrong, as data. `PUT /faults` replaces the whole set; counters count
down to zero as they strike. Behaviour of one payment method is seeded with its customer.

Operations are "payment_intents.create" and "refunds.create".
  lose_requests   the next N requests are cut before any work
  lose_answers    the next N do the work, then the connection is cut without an answer
  store_500       the next N do the work, answer 500 and replay that 500 for their key
  hold_answers_ms every request holds its key that long (wall time) before it works: 409 in flight
  refuse_refunds  the next N refunds are refused at once with that code
  fail_refunds    the next N refunds fail after that many TARGET days (1: never confirmed)
  fail_debits     the next N debits fail with that charge failure code
  return_debits   the next N debits succeed and are returned with that dispute reason, TARGET days
                  after the debit
  webhooks        duplicate: extra copies; shuffle: no order; delay_minutes: of Clock time;
                  lost: never sent (the list of events still has them)
  outage          until it is switched off: "rate_limited" answers 429 with that Retry-After,
                  "server_error" answers 500, "blackhole" takes requests and never answers, all
                  three before any work; "garbage" does the work and then sends what is no answer
                  (HTML, half of it, another content type, an empty object, in turn)
  payout_short_cents   the next payout arrives at the bank short by that much
"""

from typing import Literal, TypeAlias

import msgspec

Operation: TypeAlias = Literal["payment_intents.create", "refunds.create"]
Mode: TypeAlias = Literal["none", "rate_limited", "server_error", "blackhole", "garbage"]
Counts: TypeAlias = dict[Operation, int]


class _Part(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A part of the fault set; unknown names are refused, so a typing error is not silence."""


class RefuseRefunds(_Part):
    count: int = 0
    code: str = "balance_insufficient"


class FailRefunds(_Part):
    count: int = 0
    after_days: int = 3
    reason: str = "declined"


class FailDebits(_Part):
    count: int = 0
    code: str = "insufficient_funds"


class ReturnDebits(_Part):
    count: int = 0
    reason: str = "customer_initiated"
    after_days: int = 5


class WebhookFaults(_Part):
    duplicate: int = 0
    shuffle: bool = False
    delay_minutes: int = 0
    lost: bool = False


class Outage(_Part):
    mode: Mode = "none"
    retry_after_s: int = 2


class Faults(_Part):
    lose_requests: Counts = {}
    lose_answers: Counts = {}
    store_500: Counts = {}
    hold_answers_ms: Counts = {}
    refuse_refunds: RefuseRefunds = msgspec.field(default_factory=RefuseRefunds)
    fail_refunds: FailRefunds = msgspec.field(default_factory=FailRefunds)
    fail_debits: FailDebits = msgspec.field(default_factory=FailDebits)
    return_debits: ReturnDebits = msgspec.field(default_factory=ReturnDebits)
    webhooks: WebhookFaults = msgspec.field(default_factory=WebhookFaults)
    outage: Outage = msgspec.field(default_factory=Outage)
    payout_short_cents: int = 0


class Behaviour(_Part):
    """What one payment method always does. Empty: everything goes well."""

    refuse: str = ""  # payment_intents.create answers 402 with this code
    fail: str = ""  # charge failure code
    return_reason: str = ""  # dispute reason of the returned debit
    return_after_days: int = 5
    refund_refuse: str = ""
    refund_fail: str = ""  # failure reason of the refund
    refund_fail_after_days: int = 3


def strike(counts: Counts, operation: Operation) -> bool:
    """Whether this fault hits now; counts it down."""
    left = counts.get(operation, 0)
    if left > 0:
        counts[operation] = left - 1
    return left > 0


def debit_behaviour(faults: Faults, own: Behaviour) -> Behaviour:
    """What becomes of one new debit: its payment method's behaviour, else the next fault."""
    if own.fail or own.return_reason:
        return own
    if faults.fail_debits.count > 0:
        faults.fail_debits.count -= 1
        return Behaviour(fail=faults.fail_debits.code)
    if faults.return_debits.count > 0:
        faults.return_debits.count -= 1
        order = faults.return_debits
        return Behaviour(return_reason=order.reason, return_after_days=order.after_days)
    return own


def refund_behaviour(faults: Faults, own: Behaviour) -> Behaviour:
    """The same for one new refund."""
    if own.refund_refuse or own.refund_fail:
        return own
    if faults.refuse_refunds.count > 0:
        faults.refuse_refunds.count -= 1
        return Behaviour(refund_refuse=faults.refuse_refunds.code)
    if faults.fail_refunds.count > 0:
        faults.fail_refunds.count -= 1
        order = faults.fail_refunds
        return Behaviour(refund_fail=order.reason, refund_fail_after_days=order.after_days)
    return own
