"""Seeds the book: customers with their payment methods, and a past made of ordinary orders.
The past runs in Clock order through the same functions as the API, without faults or webhooks
(its events are still listed), so three months of it are in the book in well under a second.

POST /seed takes, all optional:
  now          Clock time to begin at, if the Clock was never set
  customers    [{id, name, email, payment_methods: [{id, iban, behaviour?: Behaviour}]}]
  collections  [{operation_id, customer, payment_method, amount, at, description?}]
  refunds      [{operation_id, payment, amount, at}]   payment: operation id of a collection
  until        Clock time to stand at in the end
and answers {"payments": {operation_id: pi_…}, "refunds": {operation_id: re_…}}.
A collection that is refused, or an order in the past, refuses the rest with its reason.
"""

from datetime import UTC, datetime

import msgspec

from jobs.providers.stripe.simulator import payments, shapes
from jobs.providers.stripe.simulator.faults import Behaviour, Faults
from jobs.providers.stripe.simulator.store import Json
from jobs.providers.stripe.simulator.world import World


class _Part(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A part of a seed; unknown names are refused."""


class SeedMethod(_Part):
    id: str
    iban: str
    behaviour: Behaviour = msgspec.field(default_factory=Behaviour)


class SeedCustomer(_Part):
    id: str
    name: str
    email: str
    payment_methods: list[SeedMethod] = []


class SeedCollection(_Part):
    operation_id: str
    customer: str
    payment_method: str
    amount: int
    at: datetime
    description: str = ""


class SeedRefund(_Part):
    operation_id: str
    payment: str
    amount: int
    at: datetime


class Seed(_Part):
    now: datetime | None = None
    customers: list[SeedCustomer] = []
    collections: list[SeedCollection] = []
    refunds: list[SeedRefund] = []
    until: datetime | None = None


def seed(world: World, order: Seed) -> Json:
    if order.now is not None and not world.started:
        world.start(order.now.astimezone(UTC))
    for customer in order.customers:
        _customer(world, customer)
    kept_faults, world.faults, world.silent = world.faults, Faults(), True
    try:
        return _live_through(world, order)
    finally:
        world.faults, world.silent = kept_faults, False


def _customer(world: World, order: SeedCustomer) -> None:
    owner = shapes.customer(world, order.id, order.name, order.email)
    world.put("customer", owner)
    for method in order.payment_methods:
        iban = method.iban.replace(" ", "")
        world.put("payment_method", shapes.payment_method(world, method.id, owner, iban))
        behaviour: Json = msgspec.to_builtins(method.behaviour)
        world.store.put("behaviour", method.id, behaviour)


def _live_through(world: World, order: Seed) -> Json:
    done: dict[str, dict[str, str]] = {"payments": {}, "refunds": {}}
    past: list[SeedCollection | SeedRefund] = [*order.collections, *order.refunds]
    for one in sorted(past, key=lambda one: one.at):
        world.advance(one.at.astimezone(UTC))
        if isinstance(one, SeedCollection):
            done["payments"][one.operation_id] = _collect(world, one)
        else:
            intent = done["payments"].get(one.payment) or _intent_of(world, one.payment)
            refund = {
                "payment_intent": intent,
                "amount": one.amount,
                "metadata": {"operation_id": one.operation_id},
            }
            done["refunds"][one.operation_id] = payments.create_refund(world, refund)["id"]
    if order.until is not None:
        world.advance(order.until.astimezone(UTC))
    return dict(done)


def _collect(world: World, one: SeedCollection) -> str:
    order = {
        "amount": one.amount,
        "customer": one.customer,
        "payment_method": one.payment_method,
        "metadata": {"operation_id": one.operation_id},
    }
    if one.description:
        order["description"] = one.description
    intent_id: str = payments.create_intent(world, order)["id"]
    return intent_id


def _intent_of(world: World, operation_id: str) -> str:
    for intent in world.store.newest_first("payment_intent"):
        if intent["metadata"].get("operation_id") == operation_id:
            found: str = intent["id"]
            return found
    return ""
