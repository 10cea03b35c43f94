"""The judge of Stripe's wire: the official specification (2023), the official current fixtures
and the adapter's own tables. Every request and answer of a Judged client passes it."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from config import ROOT
from jobs.providers.stripe import translate

ROOT_URI = "urn:stripe"
SPECS = ROOT.parent / "shared" / "specs" / "stripe"

# Parameters younger than the specification, judged as the one they replaced:
# https://docs.stripe.com/changelog/endive/2026-09-30 (payment_method_types is a 400 since then).
RENAMED = {"/v1/payment_intents": {"allowed_payment_method_types": "payment_method_types"}}

# The keys of these depend on the object's type; the specification judges what is inside.
BY_TYPE = {"payment_method": {"card"}, "dispute": {"payment_method_details"}}
# In the SDK, but neither in the specification nor in the fixtures.
SDK_ONLY = {"refund": {"pending_reason"}}
NESTED = frozenset(
    ("outcome", "billing_details", "evidence", "evidence_details", "trace_id", "invoice_settings")
)
ENUMS: dict[tuple[str, str], set[str | None]] = {
    ("payment_intent", "status"): set(translate.PAYMENT_STATES),
    ("charge", "status"): {"pending", "succeeded", "failed"},
    ("charge", "failure_code"): {None, *translate.ISO_CODES},
    ("refund", "status"): set(translate.REFUND_STATES),
    ("refund", "pending_reason"): {"processing", "insufficient_funds", "charge_pending"},
    ("refund", "failure_reason"): {
        "charge_for_pending_refund_disputed",
        "declined",
        "insufficient_funds",
        "merchant_request",
        "unknown",
    },
    ("dispute", "status"): {translate.LOST},
    ("dispute", "reason"): set(translate.ISO_CODES),
    ("payout", "status"): {translate.PAID},
    ("payout", "reconciliation_status"): {translate.RECONCILED},
    ("balance_transaction", "reporting_category"): {
        *translate.PAYOUT_ITEMS,
        translate.PAYOUT_ITSELF,
    },
    ("event", "type"): set(translate.EVENTS),
}


class Verdict(AssertionError):
    """What crossed the wire is not Stripe's."""


@cache
def spec() -> dict[str, Any]:
    return json.loads((SPECS / "spec3.2023-09-12.min.json").read_text())


@cache
def fixtures() -> dict[str, dict[str, Any]]:
    return json.loads((SPECS / "fixtures3.2026-08-21.json").read_text())["resources"]


def _rooted(schema: Any, *, nullable: bool) -> Any:
    """References that lead to the document; on demand `nullable` as JSON Schema says it."""
    if isinstance(schema, list):
        return [_rooted(one, nullable=nullable) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        return {"$ref": ROOT_URI + schema["$ref"]}
    drop = {"nullable"} if nullable else set()
    plain = {
        name: _rooted(one, nullable=nullable) for name, one in schema.items() if name not in drop
    }
    if nullable and schema.get("nullable") is True:
        return {"anyOf": [plain, {"enum": [None]}]}
    return plain


@cache
def _document(nullable: bool) -> Any:
    return _rooted(spec(), nullable=nullable)


@cache
def _registry(nullable: bool) -> Registry[Any]:
    resource = Resource.from_contents(_document(nullable), default_specification=DRAFT4)
    return Registry().with_resource(ROOT_URI, resource)


@cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    """Literal paths before templates, so that /search is no id."""
    found = sorted(spec()["paths"], key=lambda path: "{" in path)
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in found]


def template(path: str) -> str:
    for pattern, name in _paths():
        if pattern.fullmatch(path):
            return name
    raise Verdict(f"no such path in the specification: {path}")


def unflatten(text: str) -> dict[str, Any]:
    form: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        here, *rest = [form, *re.findall(r"[^\[\]]+", name)]
        for part in rest[:-1]:
            here = here.setdefault(part, {})
        here[rest[-1]] = value
    return _lists(form)


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(one) for name, one in value.items()}


def _typed(value: Any, schema: dict[str, Any]) -> Any:
    """Form texts as the types that the schema expects; what does not fit stays a text."""
    while "$ref" in schema:
        schema = spec()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for choice in schema.get("anyOf", []):
        if (typed := _typed(value, choice)) != value:
            return typed
    if isinstance(value, dict):
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        other = others if isinstance(others, dict) else {}
        return {name: _typed(one, known.get(name, other)) for name, one in value.items()}
    if isinstance(value, list):
        return [_typed(one, schema.get("items", {})) for one in value]
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", value):
        return int(value)
    if schema.get("type") == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def judge_request(method: str, url: str, body: str) -> None:
    path = template(urlsplit(url).path)
    operation = _document(False)["paths"][path][method]
    if method == "post":
        content = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]
        schema, form = content["schema"], unflatten(body)
    else:
        queries = [one for one in operation["parameters"] if one["in"] == "query"]
        schema = {
            "type": "object",
            "additionalProperties": False,
            "properties": {one["name"]: one["schema"] for one in queries},
            "required": [one["name"] for one in queries if one.get("required")],
        }
        form = unflatten(urlsplit(url).query)
    for new, old in RENAMED.get(path, {}).items():
        if old in form:
            raise Verdict(f"{path}: {old} is no longer a parameter")
        if new in form:
            form[old] = form.pop(new)
    _validate(OAS30WriteValidator(schema, registry=_registry(False)), _typed(form, schema), path)


def judge_answer(method: str, path: str, status: int, body: dict[str, Any]) -> None:
    responses = _document(True)["paths"][template(path)][method]["responses"]
    schema = responses["200" if status < 400 else "default"]["content"]["application/json"][
        "schema"
    ]
    _validate(OAS30ReadValidator(schema, registry=_registry(True)), body, path)
    for obj in _objects(body):
        judge_object(obj)


def judge_event(body: bytes) -> None:
    """A webhook's body: an event, and the object that it carries."""
    event = json.loads(body)
    for one in _objects(event):
        schema = {"$ref": f"{ROOT_URI}#/components/schemas/{one['object']}"}
        _validate(OAS30ReadValidator(schema, registry=_registry(True)), one, one["object"])
        judge_object(one)


def judge_object(obj: Mapping[str, Any]) -> None:
    """Exactly the keys of the official example, plus what the specification calls optional."""
    kind = obj["object"]
    example = fixtures().get(kind)
    if example is None:
        raise Verdict(f"there is no official example of {kind}")
    schema = spec()["components"]["schemas"].get(kind, {})
    optional = set(schema.get("properties", {})) - set(schema.get("required", ()))
    by_type = BY_TYPE.get(kind, set())
    _same_keys(kind, obj, set(example) - by_type, optional | SDK_ONLY.get(kind, set()))
    for name in NESTED & set(example):
        if isinstance(obj[name], dict) and isinstance(example[name], dict):
            _same_keys(f"{kind}.{name}", obj[name], set(example[name]), set())
    for (owner, name), allowed in ENUMS.items():
        if owner == kind and name in obj and obj[name] not in allowed:
            raise Verdict(f"{kind}.{name} is {obj[name]!r}, which is in no table")


def _same_keys(where: str, obj: Mapping[str, Any], needed: set[str], optional: set[str]) -> None:
    if absent := needed - set(obj):
        raise Verdict(f"{where} lacks {sorted(absent)}")
    if foreign := set(obj) - needed - optional:
        raise Verdict(f"{where} has {sorted(foreign)}")


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every Stripe object inside, lists and search results themselves excepted."""
    if isinstance(value, list):
        for one in value:
            yield from _objects(one)
    elif isinstance(value, dict):
        if isinstance(value.get("object"), str) and value["object"] not in (
            "list",
            "search_result",
        ):
            yield value
        for one in value.values():
            yield from _objects(one)


def _validate(validator: Any, value: Any, where: str) -> None:
    for error in validator.iter_errors(value):
        at = "/".join(str(part) for part in error.absolute_path)
        raise Verdict(f"{where} {at}: {error.message[:300]}")


class Judged(stripe.RequestsClient):
    """The SDK's own transport; what passes is judged, and counted."""

    judged = 0

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        judge_request(method, url, post_data or "")
        content, status, answered = super().request(method, url, headers, post_data)
        judge_answer(method, urlsplit(url).path, status, json.loads(content))
        Judged.judged += 1
        return content, status, answered


def available() -> bool:
    return Path(SPECS).exists()
