"""How Stripe's objects about our balance look when they are new: refunds, returned debits,
balance transactions and payouts. Underscored names are the simulator's own notes."""

from datetime import datetime

from jobs.providers.stripe.simulator.shapes import CURRENCY
from jobs.providers.stripe.simulator.store import Json
from jobs.providers.stripe.simulator.world import World


def refund(world: World, paid: Json, amount: int, order: Json) -> Json:
    return {
        "id": world.new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": paid["id"],
        "created": world.unix,
        "currency": CURRENCY,
        "customer": paid["customer"],
        "customer_account": None,
        "destination_details": {"sepa_bank_transfer": {}, "type": "sepa_bank_transfer"},
        "metadata": order.get("metadata", {}),
        "payment_intent": paid["payment_intent"],
        "payment_method": paid["payment_method"],
        "pending_reason": "processing",
        "reason": order.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }


def balance_transaction(
    world: World, kind: str, category: str, source: Json, amount: int, *, fee: int = 0
) -> Json:
    fees = [
        {
            "amount": fee,
            "application": None,
            "currency": CURRENCY,
            "description": "Dispute fee" if category == "dispute" else "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    return {
        "id": world.new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": world.unix,
        "balance_type": "payments",
        "created": world.unix,
        "currency": CURRENCY,
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": fees if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source["id"],
        "status": "available",
        "type": kind,
        "_payout": None,
    }


_EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)


def dispute(world: World, paid: Json, reason: str) -> Json:
    """A returned SEPA debit: lost from its first moment, nothing to answer."""
    return {
        "id": world.new_id("dp"),
        "object": "dispute",
        "amount": paid["amount"],
        "balance_transactions": [],
        "charge": paid["id"],
        "created": world.unix,
        "currency": CURRENCY,
        "enhanced_eligibility_types": [],
        "evidence": {**dict.fromkeys(_EVIDENCE), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": None,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": paid["payment_intent"],
        "reason": reason,
        "status": "lost",
    }


def payout(world: World, net: int, items: int, arrival: datetime) -> Json:
    return {
        "id": world.new_id("po"),
        "object": "payout",
        "amount": net,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": int(arrival.timestamp()),
        "automatic": True,
        "balance_transaction": None,
        "created": world.unix,
        "currency": CURRENCY,
        "description": "STRIPE PAYOUT",
        "destination": "ba_HafenlichtOperations",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "paid",
        "trace_id": {"status": "supported", "value": world.new_id("trace")[6:24].upper()},
        "type": "bank_account",
        "_items": items,
    }
