"""The control port: the sandbox's hand on the simulator. JSON over loopback, no secrets needed.

GET  /health  {"ok": true}
GET  /clock   {"now": iso | null}
PUT  /clock   {"now": iso}: does all that is due up to then, in order, then tells the webhooks;
              answers {"now", "next"}. 409 when the Clock would go back.
GET  /next    {"at": iso | null}: the next moment at which something happens by itself
GET  /quiet   {"quiet": bool, "waiting": n, "given_up": n}
GET  /faults, PUT /faults   the fault set of faults.py; PUT replaces all of it
GET  /calls   {"total": n, "peak": n, "ago": [seconds]}: requests to the API so far, the most in one
              second of wall time, how long ago each was, oldest first; PUT /calls begins to count
              anew
POST /seed    see history.py
POST /act     {"act": "return" | "fail_refund" | "refund" | "bank_line" | "event", ...}, see ACTS
GET  /book    everything, by kind, with `movements`: one row per booking on our Stripe balance
GET  /bank    {"statements": [...], "waiting": [lines not yet told], "balance": cents}
POST /reset   an empty book, no Clock, no statement files
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TypeAlias

import msgspec

from domain.kernel.time import berlin_date, roll_to_target_day
from jobs.providers.stripe.simulator import bank, payments
from jobs.providers.stripe.simulator.faults import Faults
from jobs.providers.stripe.simulator.history import Seed, seed
from jobs.providers.stripe.simulator.store import Json
from jobs.providers.stripe.simulator.webhooks import is_quiet, waiting_now
from jobs.providers.stripe.simulator.wire import StripeError
from jobs.providers.stripe.simulator.world import ClockError, World, public

Route: TypeAlias = Callable[[World, bytes], Json]
BOOK = (
    "customer",
    "payment_method",
    "payment_intent",
    "charge",
    "refund",
    "dispute",
    "balance_transaction",
    "payout",
    "event",
)


class ControlError(Exception):
    """What was asked makes no sense here; the text says why."""


class ClockOrder(msgspec.Struct, forbid_unknown_fields=True):
    now: datetime


class ActOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`payment` and `refund` take our operation id or Stripe's id."""

    act: str
    payment: str = ""
    refund: str = ""
    amount: int = 0
    reason: str = ""
    counterparty: str = ""
    counterparty_iban: str = ""
    remittance: str = ""
    end_to_end_id: str = ""
    booked_on: date | None = None
    event_type: str = "radar.early_fraud_warning.created"


def _clock(world: World, _body: bytes) -> Json:
    return {"now": world.meta["now"]}


def _set_clock(world: World, body: bytes) -> Json:
    order = msgspec.json.decode(body, type=ClockOrder)
    if order.now.tzinfo is None:
        raise ControlError("The Clock needs an instant with its offset from UTC.")
    world.advance(order.now.astimezone(UTC))
    return {"now": world.meta["now"], **_next(world, b"")}


def _next(world: World, _body: bytes) -> Json:
    at = world.next_at()
    return {"at": at.isoformat() if at else None, "next": at.isoformat() if at else None}


def _quiet(world: World, _body: bytes) -> Json:
    waiting = len(waiting_now(world))
    given_up = sum(one["state"] == "given_up" for one in world.store.all("delivery"))
    return {"quiet": is_quiet(world), "waiting": waiting, "given_up": given_up}


def _faults(world: World, _body: bytes) -> Json:
    built: Json = msgspec.to_builtins(world.faults)
    return built


def _set_faults(world: World, body: bytes) -> Json:
    world.faults = msgspec.json.decode(body, type=Faults)
    return _faults(world, b"")


def _calls(world: World, _body: bytes) -> Json:
    calls, peak, first = world.calls, 0, 0
    for last, at in enumerate(calls):
        while calls[first] <= at - 1.0:
            first += 1
        peak = max(peak, last - first + 1)
    now = time.monotonic()
    return {"total": len(calls), "peak": peak, "ago": [now - at for at in calls]}


def _count_anew(world: World, _body: bytes) -> Json:
    world.calls.clear()
    return {"total": 0, "peak": 0, "ago": []}


def _seed(world: World, body: bytes) -> Json:
    return seed(world, msgspec.json.decode(body, type=Seed))


def _book(world: World, _body: bytes) -> Json:
    book: Json = {kind: [public(one) for one in world.store.all(kind)] for kind in BOOK}
    book["movements"] = [_movement(world, one) for one in world.store.all("balance_transaction")]
    book["now"] = world.meta["now"]
    book["deliveries"] = {
        "taken": world.meta["counters"].get("deliveries_taken", 0),
        "open": [public(one) for one in world.store.all("delivery")],
    }
    return book


def _movement(world: World, txn: Json) -> Json:
    """A booking with the operation it belongs to; a returned debit belongs to its payment."""
    source: Json = {}
    for kind in ("charge", "refund", "dispute"):
        source = world.store.get(kind, txn["source"]) or source
    if source.get("object") == "dispute":
        source = world.store.get("charge", source["charge"]) or source
    return {
        "transaction": txn["id"],
        "category": txn["reporting_category"],
        "operation_id": source.get("metadata", {}).get("operation_id", ""),
        "source": txn["source"],
        "amount": txn["amount"],
        "fee": txn["fee"],
        "net": txn["net"],
        "payout": txn["_payout"],
    }


def _bank(world: World, _body: bytes) -> Json:
    statements = world.store.all("statement")
    waiting = [one for one in world.store.all("bank_line") if one["statement"] is None]
    balance = statements[-1]["closing"] if statements else bank.OPENING_CENTS
    return {"statements": statements, "waiting": waiting, "balance": balance}


def _reset(world: World, _body: bytes) -> Json:
    bank.clear(world)
    world.reset()
    return {"ok": True}


def _find(world: World, kind: str, name: str) -> Json:
    """By Stripe's id or by our operation id in the metadata."""
    for one in world.store.newest_first(kind):
        if name and name in (one["id"], one["metadata"].get("operation_id")):
            return one
    raise ControlError(f"There is no {kind} {name!r} in the book.")


def _act_return(world: World, order: ActOrder) -> Json:
    intent = _find(world, "payment_intent", order.payment)
    reason = order.reason or "customer_initiated"
    charge = world.store.get("charge", intent["latest_charge"] or "")
    if charge is None or charge["status"] != "succeeded" or charge["disputed"]:
        raise ControlError("Only a debit that succeeded and was not returned can be returned.")
    payments.return_debit(world, {"charge": charge["id"], "reason": reason})
    return {"dispute": world.store.all("dispute")[-1]["id"]}


def _act_fail_refund(world: World, order: ActOrder) -> Json:
    refund = _find(world, "refund", order.refund)
    if refund["status"] not in payments.LIVE_REFUNDS:
        raise ControlError(f"The refund is {refund['status']} already.")
    payments.fail_refund(world, {"refund": refund["id"], "reason": order.reason or "declined"})
    return {"refund": refund["id"]}


def _act_refund(world: World, order: ActOrder) -> Json:
    """A refund made in Stripe's dashboard: it carries no id of ours."""
    intent = _find(world, "payment_intent", order.payment)
    wanted = {"payment_intent": intent["id"]} | ({"amount": order.amount} if order.amount else {})
    return {"refund": payments.create_refund(world, wanted)["id"]}


def _act_bank_line(world: World, order: ActOrder) -> Json:
    """Money from or to anybody on our bank account, by default booked the next statement day."""
    if order.amount == 0 or not order.counterparty:
        raise ControlError("A bank line needs an amount (cents, signed) and a counterparty.")
    line: Json = msgspec.to_builtins(order)
    line["remittance"] = order.remittance or "-"
    soonest = datetime.fromisoformat(world.meta["statement_at"])
    booked_on = roll_to_target_day(order.booked_on or berlin_date(soonest))
    return {"line": bank.add_line(world, line, booked_on)["id"]}


def _act_event(world: World, order: ActOrder) -> Json:
    """A signed event about a thing that Kontor does not know."""
    thing = {"id": world.new_id("issfr"), "object": order.event_type.rpartition(".")[0]}
    world.emit(order.event_type, thing)
    return {"event": next(world.store.newest_first("event"))["id"]}


ACTS: dict[str, Callable[[World, ActOrder], Json]] = {
    "return": _act_return,  # payment, reason?: the debit comes back now
    "fail_refund": _act_fail_refund,  # refund, reason?: it fails now
    "refund": _act_refund,  # payment, amount?: made in the dashboard
    "bank_line": _act_bank_line,  # amount, counterparty, remittance?, end_to_end_id?, booked_on?
    "event": _act_event,  # event_type?: a notification that is in no table
}


def _act(world: World, body: bytes) -> Json:
    order = msgspec.json.decode(body, type=ActOrder)
    if order.act not in ACTS:
        raise ControlError(f"There is no act {order.act!r}; there are {', '.join(ACTS)}.")
    if not world.started:
        raise ClockError("The sandbox Clock has not been set yet.")
    return ACTS[order.act](world, order)


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/health"): lambda _world, _body: {"ok": True},
    ("GET", "/clock"): _clock,
    ("PUT", "/clock"): _set_clock,
    ("GET", "/next"): _next,
    ("GET", "/quiet"): _quiet,
    ("GET", "/faults"): _faults,
    ("PUT", "/faults"): _set_faults,
    ("GET", "/calls"): _calls,
    ("PUT", "/calls"): _count_anew,
    ("POST", "/seed"): _seed,
    ("POST", "/act"): _act,
    ("GET", "/book"): _book,
    ("GET", "/bank"): _bank,
    ("POST", "/reset"): _reset,
}


def handle(world: World, method: str, path: str, body: bytes) -> tuple[int, Json]:
    route = ROUTES.get((method, path))
    if route is None:
        return 404, {"error": f"There is no {method} {path}."}
    with world.lock:
        try:
            answer = json.loads(json.dumps(route(world, body)))
        except (msgspec.DecodeError, ControlError) as error:
            return 400, {"error": str(error)}
        except (StripeError, ClockError) as error:
            return 409, {"error": str(error)}
        finally:
            world.commit()
        return 200, answer
