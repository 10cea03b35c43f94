"""Stripe's REST API as far as Kontor uses it: one table of routes, answers in Stripe's words.
It checks parameters and reads the book; what money does is decided in payments."""

import re
import time
from collections.abc import Callable

from jobs.providers.stripe.simulator import payments, wire
from jobs.providers.stripe.simulator.faults import Operation, strike
from jobs.providers.stripe.simulator.keys import Keys, Stored
from jobs.providers.stripe.simulator.outages import Answer, Outages, Request
from jobs.providers.stripe.simulator.store import Json
from jobs.providers.stripe.simulator.wire import Checks, StripeError
from jobs.providers.stripe.simulator.world import API_VERSION, ClockError, World, public

CREATE: dict[str, tuple[Operation, Callable[[World, Json], Json], Checks, tuple[str, ...]]] = {
    "/v1/payment_intents": (
        "payment_intents.create",
        payments.create_intent,
        {
            "amount": wire.integer,
            "currency": wire.text,
            "customer": wire.text,
            "payment_method": wire.text,
            "allowed_payment_method_types": wire.texts,
            "confirm": wire.boolean,
            "off_session": wire.boolean,
            "description": wire.text,
            "metadata": wire.metadata,
        },
        ("amount", "currency", "customer", "payment_method"),
    ),
    "/v1/refunds": (
        "refunds.create",
        payments.create_refund,
        {
            "amount": wire.integer,
            "charge": wire.text,
            "payment_intent": wire.text,
            "reason": wire.text,
            "metadata": wire.metadata,
        },
        (),
    ),
}

# Lists: the object's kind and, per filter, the field it compares.
LISTS: dict[str, tuple[str, dict[str, str]]] = {
    "payment_intents": ("payment_intent", {"customer": "customer"}),
    "refunds": ("refund", {"payment_intent": "payment_intent", "charge": "charge"}),
    "charges": ("charge", {"payment_intent": "payment_intent", "customer": "customer"}),
    "events": ("event", {"type": "type"}),
    "payouts": ("payout", {"status": "status"}),
    "balance_transactions": (
        "balance_transaction",
        {"payout": "_payout", "source": "source", "type": "type"},
    ),
    "disputes": ("dispute", {"payment_intent": "payment_intent", "charge": "charge"}),
}
RETRIEVE = {name: kind for name, (kind, _) in LISTS.items()} | {
    "customers": "customer",
    "payment_methods": "payment_method",
}
SEARCH = re.compile(r"metadata\[['\"](\w+)['\"]\]:\s*['\"]([^'\"]*)['\"]")


class Api:
    """Answers one request at a time under the world's lock; holding a key happens outside it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys = Keys(world)
        self._outages = Outages(world)

    def handle(self, request: Request) -> Answer:
        """Counts the call, and lets an outage strike before the work or at its answer."""
        self._world.calls.append(time.monotonic())
        return self._outages.before(request) or self._outages.after(self._answer(request))

    def _answer(self, request: Request) -> Answer:
        with self._world.lock:
            request_id = f"req_{self._world.count('request'):014}"
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
        try:
            self._admit(request)
            form = wire.parse_form(request.text)
            if request.method == "POST":
                return self._post(request, form, headers)
            with self._world.lock:
                return Answer(body=self._get(request.path, form), headers=headers)
        except ClockError as error:
            refused = StripeError(503, str(error), kind="api_error")
            return Answer(status=refused.status, body=refused.body, headers=headers)
        except StripeError as error:
            return Answer(status=error.status, body=error.body, headers=headers)

    def _admit(self, request: Request) -> None:
        if request.headers.get("authorization") not in self._world.settings.credentials:
            raise StripeError(401, "Invalid API Key provided.")
        version = request.headers.get("stripe-version", API_VERSION)
        if version != API_VERSION:
            raise StripeError(400, f"Invalid Stripe API version: {version}")

    def _get(self, path: str, form: Json) -> Json:
        noun, *rest = path.removeprefix("/v1/").split("/")
        if noun == "payment_intents" and rest == ["search"]:
            return self._search(form)
        if noun in LISTS and not rest:
            return self._list(noun, form)
        if noun in RETRIEVE and len(rest) == 1:
            checked = wire.require(form, {"expand": wire.texts}, ())
            found = self._world.store.get(RETRIEVE[noun], rest[0])
            if found is None or not self._kept(RETRIEVE[noun], found):
                raise wire.missing(RETRIEVE[noun], rest[0], "id", status=404)
            return wire.expand(self._world, public(found), checked.get("expand", []))
        raise StripeError(404, f"Unrecognized request URL (GET: {path}).")

    def _list(self, noun: str, form: Json) -> Json:
        kind, filters = LISTS[noun]
        extra: Checks = {"types": wire.texts} if kind == "event" else {}
        allowed = wire.PAGING | dict.fromkeys(filters, wire.text) | extra
        checked = wire.require(form, allowed, ())
        wanted = {where: checked[name] for name, where in filters.items() if name in checked}
        found = [
            one
            for one in self._world.store.newest_first(kind)
            if self._kept(kind, one)
            and all(one[where] == value for where, value in wanted.items())
            and wire.within(one["created"], checked.get("created", {}))
            and ("types" not in checked or one["type"] in checked["types"])
        ]
        return wire.page(self._world, kind, f"/v1/{noun}", found, checked)

    def _kept(self, kind: str, obj: Json) -> bool:
        oldest = self._world.now - wire.EVENTS_KEPT
        return kind != "event" or obj["created"] >= oldest.timestamp()

    def _search(self, form: Json) -> Json:
        checks: Checks = {"query": wire.text, "limit": wire.integer, "page": wire.text}
        checked = wire.require(form, checks, ("query",))
        match = SEARCH.fullmatch(checked["query"].strip())
        if match is None:
            raise StripeError(400, "We were unable to parse your search query.", param="query")
        name, value = match.groups()
        found = [
            public(one)
            for one in self._world.store.newest_first("payment_intent")
            if one["metadata"].get(name) == value
        ]
        return {
            "object": "search_result",
            "data": found[: wire.LIST_LIMIT_MAX],
            "has_more": False,
            "next_page": None,
            "url": "/v1/payment_intents/search",
        }

    def _post(self, request: Request, form: Json, headers: dict[str, str]) -> Answer:
        if request.path not in CREATE:
            raise StripeError(404, f"Unrecognized request URL (POST: {request.path}).")
        operation = CREATE[request.path][0]
        key = request.headers.get("idempotency-key", "")
        with self._world.lock:
            if strike(self._world.faults.lose_requests, operation):
                self._world.commit()
                return Answer(cut=True)
            stored = self._keys.begin(key, request.path, form) if key else None
        if stored is not None:
            replayed = {"Idempotent-Replayed": "true", "Original-Request": stored.request_id}
            return Answer(status=stored.status, body=stored.body, headers=headers | replayed)
        try:
            time.sleep(self._world.faults.hold_answers_ms.get(operation, 0) / 1000)
            with self._world.lock:
                return self._work(request.path, form, key, headers)
        finally:
            with self._world.lock:
                self._keys.end(key)

    def _work(self, path: str, form: Json, key: str, headers: dict[str, str]) -> Answer:
        """The work, its stored answer and the faults that strike it, in one commit."""
        operation, act, checks, needed = CREATE[path]
        _refuse_removed(form)
        order = _checked_order(path, wire.require(form, checks, needed))
        faults = self._world.faults
        try:
            answer = Answer(body=act(self._world, order), headers=headers)
        except StripeError as error:
            if error.validation:
                raise
            answer = Answer(status=error.status, body=error.body, headers=headers)
        if strike(faults.store_500, operation):
            broken = StripeError(500, "An unknown error occurred.", kind="api_error")
            answer = Answer(status=500, body=broken.body, headers=headers)
        if key:
            stored = Stored(answer.status, answer.body, headers["Request-Id"])
            self._keys.keep(key, path, form, stored)
        lost = strike(faults.lose_answers, operation)
        self._world.commit()
        return Answer(cut=True) if lost else answer


def _refuse_removed(form: Json) -> None:
    """What API version endive took away, with the code it answers now."""
    if "payment_method_types" in form:
        raise StripeError(
            400,
            "payment_method_types is no longer supported.",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
            validation=True,
        )


def _checked_order(path: str, order: Json) -> Json:
    """What must hold together, checked before any work: these refusals are never stored."""
    if path == "/v1/refunds":
        if ("charge" in order) == ("payment_intent" in order):
            raise StripeError(400, "Must provide either charge or payment_intent.", validation=True)
        return order
    wanted = {
        "currency": "eur",
        "allowed_payment_method_types": ["sepa_debit"],
        "confirm": True,
        "off_session": True,
    }
    for name, value in wanted.items():
        if order.get(name) != value:
            raise StripeError(
                400, f"This sandbox takes {name}={value} only.", param=name, validation=True
            )
    return order
