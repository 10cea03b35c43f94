"""Orders as Kontor's workers would send them, for tests of the provider adapters."""

from datetime import UTC, datetime

from domain.payments.ports import PaymentOrder, ProviderAccepted, RefundOrder
from jobs.providers.stripe.adapter import StripeAdapter
from tests.jobs.providers.sandbox import Simulator

CREATED = datetime(2026, 12, 1, tzinfo=UTC)
CONFIRMED_AT = "2026-12-03T09:00:00+00:00"  # D+2, 10:00 in Berlin


def order(n: int = 1, **changes: object) -> PaymentOrder:
    fields = {
        "operation_id": f"pay_{n}",
        "idempotency_key": f"key-pay-{n}",
        "amount": 1250,
        "customer": "cus_brandt",
        "payment_method": "pm_brandt",
        **changes,
    }
    return PaymentOrder(**fields)


def refund_order(payment: str, n: int = 1, amount: int = 500) -> RefundOrder:
    return RefundOrder(
        operation_id=f"rf_{n}",
        idempotency_key=f"key-rf-{n}",
        amount=amount,
        payment_reference=payment,
    )


def collected(sim: Simulator, adapter: StripeAdapter, n: int = 1, **changes: object) -> str:
    """A confirmed payment; answers Stripe's id."""
    outcome = adapter.collect(order(n, **changes))
    assert isinstance(outcome, ProviderAccepted)
    sim.clock(CONFIRMED_AT)
    return outcome.reference


def seed_behaviour(sim: Simulator, **behaviour: object) -> None:
    method = {"id": "pm_odd", "iban": "DE62370400440532013001", "behaviour": behaviour}
    customer = {"id": "cus_odd", "name": "Otto Odd", "email": "o@example.org"}
    sim.post("/seed", {"customers": [{**customer, "payment_methods": [method]}]})


ODD = {"customer": "cus_odd", "payment_method": "pm_odd"}
