"""Stripe's way of writing: bracketed forms, error envelopes, lists with cursors, expanded fields.
Nothing here knows what a payment is allowed to do."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from jobs.providers.stripe.simulator.store import Json
from jobs.providers.stripe.simulator.world import World, public

Checks: TypeAlias = dict[str, Callable[[str, Any], Any]]

LIST_LIMIT, LIST_LIMIT_MAX = 10, 100
EXPAND_DEPTH_MAX = 4
FORM_FIELDS_MAX = 200
EVENTS_KEPT = timedelta(days=30)

# The prefix of an id says what it names.
KINDS = {
    "pi": "payment_intent",
    "py": "charge",
    "re": "refund",
    "txn": "balance_transaction",
    "po": "payout",
    "dp": "dispute",
    "cus": "customer",
    "pm": "payment_method",
    "evt": "event",
}


class StripeError(Exception):
    """An answer that is an error. `validation`: parameters were refused before any work."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        validation: bool = False,
        payment_intent: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.validation = status, validation
        fields = {"code": code, "param": param, "payment_intent": payment_intent}
        known = {name: value for name, value in fields.items() if value is not None}
        self.body: Json = {"error": {"message": message, "type": kind, **known}}


def missing(kind: str, object_id: str, param: str, status: int = 400) -> StripeError:
    return StripeError(
        status, f"No such {kind}: '{object_id}'", code="resource_missing", param=param
    )


def parse_form(text: str) -> Json:
    """`a[b]=1&c[0]=2&d[]=3` -> {"a": {"b": "1"}, "c": ["2"], "d": ["3"]}."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS_MAX)
    except ValueError as error:
        raise StripeError(400, "Too many parameters.", validation=True) from error
    form: Json = {}
    for name, value in pairs:
        parts = re.findall(r"[^\[\]]+", name)
        here = form
        for part in parts[:-1]:
            here = here.setdefault(part, {})
            if not isinstance(here, dict):
                raise StripeError(400, f"Invalid parameter: {name}", validation=True)
        if not parts:
            raise StripeError(400, "A parameter has no name.", validation=True)
        if name.endswith("[]"):
            here = here.setdefault(parts[-1], {})
            parts = [str(len(here))]
        here[parts[-1]] = value
    return {name: _lists(value) for name, value in form.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(one) for name, one in value.items()}


def require(form: Json, allowed: Checks, needed: Iterable[str]) -> Json:
    """The form with checked values; anything unknown, missing or of a wrong type is refused."""
    for name in form:
        if name not in allowed:
            raise StripeError(
                400,
                f"Received unknown parameter: {name}",
                code="parameter_unknown",
                param=name,
                validation=True,
            )
    for name in needed:
        if form.get(name) in (None, ""):
            raise StripeError(
                400,
                f"Missing required param: {name}.",
                code="parameter_missing",
                param=name,
                validation=True,
            )
    return {name: allowed[name](name, value) for name, value in form.items()}


def _wrong(name: str, value: Any, what: str) -> StripeError:
    return StripeError(400, f"Invalid {what}: {value}", param=name, validation=True)


def integer(name: str, value: Any) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,12}", value):
        raise _wrong(name, value, "integer")
    return int(value)


def boolean(name: str, value: Any) -> bool:
    if value not in ("true", "false"):
        raise _wrong(name, value, "boolean")
    return bool(value == "true")


def text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 5000:
        raise _wrong(name, value, "string")
    return value


def texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _wrong(name, value, "array")
    return value


def metadata(name: str, value: Any) -> Json:
    flat = isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    if not flat or len(value) > 50 or any(len(k) > 40 or len(v) > 500 for k, v in value.items()):
        raise _wrong(name, value, "metadata")
    return dict(value)


def span(name: str, value: Any) -> Json:
    """A time or a range of times: `created=…` or `created[gte]=…`."""
    if isinstance(value, str):
        return {"gte": integer(name, value), "lte": integer(name, value)}
    if not isinstance(value, dict) or not value.keys() <= {"gt", "gte", "lt", "lte"}:
        raise _wrong(name, value, "timestamp")
    return {side: integer(name, one) for side, one in value.items()}


PAGING: Checks = {
    "limit": integer,
    "starting_after": text,
    "ending_before": text,
    "expand": texts,
    "created": span,
}


def within(value: int, limits: Json) -> bool:
    checks = {
        "gt": lambda limit: value > limit,
        "gte": lambda limit: value >= limit,
        "lt": lambda limit: value < limit,
        "lte": lambda limit: value <= limit,
    }
    return all(checks[side](limit) for side, limit in limits.items())


def page(world: World, kind: str, url: str, found: list[Json], form: Json) -> Json:
    """`found` is newest first, as Stripe lists; the cursor names an object of the same kind."""
    limit = min(max(form.get("limit", LIST_LIMIT), 1), LIST_LIMIT_MAX)
    ids = [one["id"] for one in found]
    after, before = form.get("starting_after"), form.get("ending_before")
    for name, cursor in (("starting_after", after), ("ending_before", before)):
        if cursor is not None and cursor not in ids:
            raise missing(kind, cursor, name)
    if after is not None:
        found = found[ids.index(after) + 1 :]
    if before is not None:
        found = found[: ids.index(before)]
    chosen = found[-limit:] if before is not None and after is None else found[:limit]
    body = {
        "object": "list",
        "data": [public(one) for one in chosen],
        "has_more": len(found) > limit,
        "url": url,
    }
    return expand(world, body, form.get("expand", []))


def expand(world: World, body: Json, paths: list[str]) -> Json:
    """Replaces ids by objects along `a.b.c`; in lists `data` steps into every entry."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > EXPAND_DEPTH_MAX:
            raise StripeError(400, f"You cannot expand {path}.", param="expand", validation=True)
        _expand(world, body, steps, path)
    return body


def _expand(world: World, body: Json, steps: list[str], path: str) -> None:
    first, rest = steps[0], steps[1:]
    if first not in body:
        raise StripeError(
            400,
            f"This property cannot be expanded ({path}).",
            param="expand",
            validation=True,
        )
    value = body[first]
    if isinstance(value, str):
        kind = KINDS.get(value.partition("_")[0], "")
        found = world.store.get(kind, value)
        if found is None:
            raise StripeError(400, f"This property cannot be expanded ({path}).", param="expand")
        value = body[first] = public(found)
    if rest and value is not None:
        for one in value if isinstance(value, list) else [value]:
            _expand(world, one, rest, path)
