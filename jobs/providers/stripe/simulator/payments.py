"""SEPA debits and their refunds inside the simulator: when they succeed, fail or come back.
Timing is STORY's: a debit of day D succeeds on D+2 TARGET days, a refund on the next one."""

from datetime import UTC, datetime

from domain.kernel.time import add_target_days, berlin, berlin_date, next_target_day
from jobs.providers.stripe.simulator import bookings, shapes
from jobs.providers.stripe.simulator.faults import debit_behaviour, refund_behaviour
from jobs.providers.stripe.simulator.store import Json
from jobs.providers.stripe.simulator.wire import StripeError, missing
from jobs.providers.stripe.simulator.world import World, public

MINIMUM_CENTS = 50  # Stripe's least amount in EUR
DEBIT_FEE_CENTS = 35
RETURN_FEE_CENTS = 750
DEBIT_DAYS = 2
RETURN_DAYS_MIN = 3  # a debit comes back only after it succeeded
SETTLE_HOUR = 10
LIVE_REFUNDS = ("pending", "succeeded")


def create_intent(world: World, order: Json) -> Json:
    """`payment_intents.create` with confirm, off-session: processing at once, or refused."""
    method = _method(world, order)
    if order["amount"] < MINIMUM_CENTS:
        raise StripeError(
            400, "Amount must be at least €0.50 eur", code="amount_too_small", param="amount"
        )
    own = world.behaviour(method["id"])
    intent = shapes.payment_intent(world, order, method)
    if own.refuse:
        return _refuse_intent(world, intent, own.refuse)
    behaviour = debit_behaviour(world.faults, own)
    charge = shapes.charge(world, intent, method)
    charge["_fail"] = behaviour.fail
    charge["_return"] = behaviour.return_reason
    charge["_return_days"] = behaviour.return_after_days
    intent["latest_charge"] = charge["id"]
    world.put("payment_intent", intent)
    world.put("charge", charge)
    for event_type, obj in (
        ("payment_intent.created", intent),
        ("charge.pending", charge),
        ("payment_intent.processing", intent),
    ):
        world.emit(event_type, obj)
    day = add_target_days(berlin_date(world.now), DEBIT_DAYS)
    world.schedule("settle_debit", berlin(day, SETTLE_HOUR), charge=charge["id"])
    return public(intent)


def _method(world: World, order: Json) -> Json:
    owner = world.store.get("customer", order["customer"])
    if owner is None:
        raise missing("customer", order["customer"], "customer")
    method = world.store.get("payment_method", order["payment_method"])
    if method is None:
        raise missing("PaymentMethod", order["payment_method"], "payment_method")
    if method["customer"] != owner["id"]:
        raise StripeError(
            400,
            "The provided PaymentMethod does not belong to the Customer.",
            param="payment_method",
        )
    return method


def _refuse_intent(world: World, intent: Json, code: str) -> Json:
    message = "The payment was declined."
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = {"code": code, "message": message, "type": "card_error"}
    world.put("payment_intent", intent)
    world.emit("payment_intent.created", intent)
    world.emit("payment_intent.payment_failed", intent)
    raise StripeError(402, message, kind="card_error", code=code, payment_intent=public(intent))


def settle_debit(world: World, action: Json) -> None:
    charge = _one(world, "charge", action["charge"])
    intent = _one(world, "payment_intent", charge["payment_intent"])
    if charge["_fail"]:
        _fail_debit(world, charge, intent)
        return
    txn = bookings.balance_transaction(
        world, "payment", "charge", charge, charge["amount"], fee=DEBIT_FEE_CENTS
    )
    world.put("balance_transaction", txn)
    charge |= {"status": "succeeded", "paid": True, "balance_transaction": txn["id"]}
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    world.put("charge", charge)
    world.put("payment_intent", intent)
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)
    if charge["_return"]:
        days = max(charge["_return_days"], RETURN_DAYS_MIN)
        day = add_target_days(berlin_date(_created(charge)), days)
        world.schedule(
            "return_debit", berlin(day, SETTLE_HOUR), charge=charge["id"], reason=charge["_return"]
        )


def _fail_debit(world: World, charge: Json, intent: Json) -> None:
    code, message = charge["_fail"], "The customer's bank did not accept the debit."
    charge |= {"status": "failed", "failure_code": code, "failure_message": message}
    charge["outcome"] |= {
        "network_status": "declined_by_network",
        "reason": code,
        "seller_message": message,
        "type": "issuer_declined",
    }
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": {
            "charge": charge["id"],
            "code": code,
            "message": message,
            "type": "card_error",
        },
    }
    world.put("charge", charge)
    world.put("payment_intent", intent)
    world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)


def return_debit(world: World, action: Json) -> None:
    """A dispute that is lost at once; a refund still pending cannot go through any more."""
    charge = _one(world, "charge", action["charge"])
    if charge["disputed"] or charge["status"] != "succeeded":
        return
    for refund in refunds_of(world, charge):
        if refund["status"] == "pending":
            _fail_refund(world, refund, "charge_for_pending_refund_disputed")
    dispute = bookings.dispute(world, charge, action["reason"])
    txn = bookings.balance_transaction(
        world, "adjustment", "dispute", dispute, -charge["amount"], fee=RETURN_FEE_CENTS
    )
    world.put("balance_transaction", txn)
    dispute["balance_transactions"] = [public(txn)]
    world.put("dispute", dispute)
    charge["disputed"] = True
    world.put("charge", charge)
    for event_type in ("created", "funds_withdrawn", "closed"):
        world.emit(f"charge.dispute.{event_type}", dispute)


def create_refund(world: World, order: Json) -> Json:
    charge = _refundable(world, order)
    left = charge["amount"] - sum(
        refund["amount"] for refund in refunds_of(world, charge) if refund["status"] in LIVE_REFUNDS
    )
    amount: int = order.get("amount", left)
    if left == 0:
        raise StripeError(
            400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if not 0 < amount <= left:
        raise StripeError(
            400,
            f"Refund amount ({amount}) is not between 1 and the unrefunded amount ({left}).",
            param="amount",
        )
    behaviour = refund_behaviour(world.faults, world.behaviour(charge["payment_method"]))
    if behaviour.refund_refuse:
        raise StripeError(
            400, "The refund was not accepted.", code=behaviour.refund_refuse, param="amount"
        )
    refund = world.put("refund", bookings.refund(world, charge, amount, order))
    _count_refunded(world, charge)
    world.emit("refund.created", refund)
    world.emit("charge.refunded", charge)
    today = berlin_date(world.now)
    settled_at = berlin(next_target_day(today), SETTLE_HOUR)
    world.schedule("settle_refund", settled_at, refund=refund["id"])
    if behaviour.refund_fail:
        day = add_target_days(today, max(behaviour.refund_fail_after_days, 1))
        # One minute earlier: with one day it fails instead of succeeding.
        at = berlin(day, SETTLE_HOUR - 1, 59)
        world.schedule("fail_refund", at, refund=refund["id"], reason=behaviour.refund_fail)
    return public(refund)


def _refundable(world: World, order: Json) -> Json:
    if "payment_intent" in order:
        intent = world.store.get("payment_intent", order["payment_intent"])
        if intent is None:
            raise missing("payment_intent", order["payment_intent"], "payment_intent")
        charge = world.store.get("charge", intent["latest_charge"] or "")
    else:
        charge = world.store.get("charge", order["charge"])
        if charge is None:
            raise missing("charge", order["charge"], "charge")
    if charge is None or charge["status"] != "succeeded":
        raise StripeError(
            400,
            "This PaymentIntent does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            param="payment_intent",
        )
    if charge["disputed"]:
        raise StripeError(
            400, f"Charge {charge['id']} has been charged back.", code="charge_disputed"
        )
    return charge


def settle_refund(world: World, action: Json) -> None:
    refund = _one(world, "refund", action["refund"])
    if refund["status"] != "pending":
        return
    txn = bookings.balance_transaction(world, "payment_refund", "refund", refund, -refund["amount"])
    world.put("balance_transaction", txn)
    refund |= {"status": "succeeded", "balance_transaction": txn["id"]}
    refund.pop("pending_reason")
    world.put("refund", refund)
    world.emit("refund.updated", refund)


def fail_refund(world: World, action: Json) -> None:
    refund = _one(world, "refund", action["refund"])
    if refund["status"] in LIVE_REFUNDS:
        _fail_refund(world, refund, action["reason"])


def _fail_refund(world: World, refund: Json, reason: str) -> None:
    if refund["status"] == "succeeded":
        txn = bookings.balance_transaction(
            world, "refund_failure", "refund_failure", refund, refund["amount"]
        )
        world.put("balance_transaction", txn)
        refund["failure_balance_transaction"] = txn["id"]
    refund.pop("pending_reason", None)
    refund |= {"status": "failed", "failure_reason": reason}
    world.put("refund", refund)
    _count_refunded(world, _one(world, "charge", refund["charge"]))
    world.emit("refund.failed", refund)
    world.emit("refund.updated", refund)


def _count_refunded(world: World, charge: Json) -> None:
    live = [r["amount"] for r in refunds_of(world, charge) if r["status"] in LIVE_REFUNDS]
    charge |= {"amount_refunded": sum(live), "refunded": sum(live) == charge["amount"]}
    world.put("charge", charge)


def refunds_of(world: World, charge: Json) -> list[Json]:
    return [one for one in world.store.all("refund") if one["charge"] == charge["id"]]


def _one(world: World, kind: str, object_id: str) -> Json:
    found = world.store.get(kind, object_id)
    if found is None:
        raise LookupError(f"The book has no {kind} {object_id}.")
    return found


def _created(obj: Json) -> datetime:
    return datetime.fromtimestamp(obj["created"], UTC)
