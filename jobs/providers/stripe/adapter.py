"""Asks and orders at Stripe through the official SDK and answers in Kontor's words. An order's
answer is an Outcome and never an exception; a question without an answer is ProviderUnreachable."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeAlias

import stripe

from config import Settings
from domain.observing.errors import kept
from domain.payments.ports import (
    Outcome,
    PaymentOrder,
    PayoutItem,
    PolledEvent,
    ProviderNotCalled,
    ProviderRefused,
    ProviderUnknown,
    ProviderUnreachable,
    ProviderUpdate,
    RefundOrder,
    UnknownReason,
    Unrecognised,
    unrecognised,
)
from jobs.gate import Gate, Open
from jobs.providers.stripe import translate
from jobs.providers.stripe.client import NotSent, stripe_client

Json: TypeAlias = dict[str, Any]

log = logging.getLogger("kontor.stripe")

PAGE = 100
# A list longer than this is not read to its end in one go: 200,000 events, items or payments.
PAGES_MAX = 2000

# SDK error -> why the outcome is unknown. Everything that is not here, and not a refusal, raises.
UNKNOWN: tuple[tuple[type[stripe.StripeError], UnknownReason], ...] = (
    (NotSent, UnknownReason.NOT_SENT),
    (stripe.APIConnectionError, UnknownReason.CONNECTION),
    (stripe.RateLimitError, UnknownReason.RATE_LIMITED),
    (stripe.IdempotencyError, UnknownReason.KEY_REUSED),
    (stripe.AuthenticationError, UnknownReason.NOT_ALLOWED),
    (stripe.PermissionError, UnknownReason.NOT_ALLOWED),
)
MISREAD = (KeyError, TypeError, ValueError, AttributeError)
"""What reading JSON of another shape than ours ends in: nothing of it is believed."""
CONFLICT = 409
REFUSALS = (stripe.CardError, stripe.InvalidRequestError)


class StripeAdapter:
    """One per process is enough; the SDK keeps a connection per thread."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._v1 = client.v1

    @classmethod
    def from_settings(
        cls, settings: Settings, gate: Gate | None = None, read_s: float | None = None
    ) -> "StripeAdapter":
        return cls(stripe_client(settings, gate or Open(), read_s))

    def ask_anything(self) -> None:
        """A question that changes nothing. Raises ProviderUnreachable without a usable answer."""
        with _asking():
            self._v1.events.list({"limit": 1})

    def collect(self, order: PaymentOrder) -> Outcome:
        """A SEPA debit, off-session, by the mandate behind the payment method."""

        def call() -> Outcome:
            params: stripe.params.PaymentIntentCreateParams = {
                "amount": order.amount,
                "currency": "eur",
                "customer": order.customer,
                "payment_method": order.payment_method,
                "allowed_payment_method_types": ["sepa_debit"],
                "off_session": True,
                "confirm": True,
                "metadata": {"operation_id": order.operation_id},
            }
            if order.description:
                params["description"] = order.description
            intent = self._v1.payment_intents.create(
                params, {"idempotency_key": order.idempotency_key}
            )
            return translate.payment_outcome(_plain(intent))

        return _ordered(call)

    def refund(self, order: RefundOrder) -> Outcome:
        def call() -> Outcome:
            refund = self._v1.refunds.create(
                {
                    "payment_intent": order.payment_reference,
                    "amount": order.amount,
                    "metadata": {"operation_id": order.operation_id},
                },
                {"idempotency_key": order.idempotency_key},
            )
            return translate.refund_outcome(_plain(refund))

        return _ordered(call)

    def look_up_payment(
        self, operation_id: str, created_after: datetime, customer: str
    ) -> Outcome | None:
        """None: Stripe surely has no such payment. Lists, since the search index lags."""
        with _asking():
            found = self._paged(
                self._v1.payment_intents.list,
                customer=customer,
                created={"gte": int(created_after.timestamp())},
                expand=["data.latest_charge"],
            )
            outcomes = [
                translate.payment_outcome(one)
                for one in found
                if translate.operation_id(one) == operation_id
            ]
        return _strongest(outcomes)

    def look_up_refund(self, operation_id: str, payment_reference: str) -> Outcome | None:
        with _asking():
            found = self._paged(self._v1.refunds.list, payment_intent=payment_reference)
            outcomes = [
                translate.refund_outcome(one)
                for one in found
                if translate.operation_id(one) == operation_id
            ]
        return _strongest(outcomes)

    def fetch(self, kind: str, object_id: str) -> ProviderUpdate:
        """The object that a hint names, as an update. `kind` is one of FETCH."""
        if kind not in FETCH:
            return unrecognised("there is no %(kind)s to fetch", kind=kind)
        with _asking():
            try:
                return FETCH[kind](self, object_id)
            except stripe.InvalidRequestError as error:
                return Unrecognised(reason=f"{object_id}: {error.code or kept(error)}")

    def payment(self, object_id: str) -> ProviderUpdate:
        intent = self._v1.payment_intents.retrieve(object_id, {"expand": ["latest_charge"]})
        return translate.payment_update(_plain(intent))

    def refund_now(self, object_id: str) -> ProviderUpdate:
        return translate.refund_update(_plain(self._v1.refunds.retrieve(object_id)))

    def dispute(self, object_id: str) -> ProviderUpdate:
        dispute = self._v1.disputes.retrieve(object_id, {"expand": ["payment_intent"]})
        return translate.reversal_update(_plain(dispute))

    def payout(self, object_id: str) -> ProviderUpdate:
        payout = _plain(self._v1.payouts.retrieve(object_id))
        waits = translate.payout_state(payout)
        return waits or translate.payout_update(payout, self.payout_items(object_id))

    def payout_items(self, payout: str) -> tuple[PayoutItem, ...]:
        """To the end of the list, the sources expanded: they carry our ids."""
        with _asking():
            found = self._paged(
                self._v1.balance_transactions.list, payout=payout, expand=["data.source"]
            )
            return translate.payout_items(list(found))

    def poll_events(self, after: datetime) -> list[PolledEvent]:
        """Every event created at or after that Clock time, oldest first."""
        with _asking():
            found = self._paged(self._v1.events.list, created={"gte": int(after.timestamp())})
            events = [_polled(one) for one in found]
        return events[::-1]

    def _paged(self, lister: Callable[..., Any], **params: Any) -> Iterator[Json]:
        """Newest first, page by page, to the end."""
        cursor: dict[str, str] = {}
        for _ in range(PAGES_MAX):
            page = _plain(lister({**params, **cursor, "limit": PAGE}))
            yield from page["data"]
            if not page["has_more"] or not page["data"]:
                return
            cursor = {"starting_after": page["data"][-1]["id"]}
        raise ProviderUnreachable(f"more than {PAGES_MAX} pages")


FETCH: dict[str, Callable[[StripeAdapter, str], ProviderUpdate]] = {
    "payment_intent": StripeAdapter.payment,
    "refund": StripeAdapter.refund_now,
    "dispute": StripeAdapter.dispute,
    "payout": StripeAdapter.payout,
}


def _ordered(call: Callable[[], Outcome]) -> Outcome:
    try:
        return call()
    except stripe.StripeError as error:
        return _outcome_of(error)
    except MISREAD as error:
        log.exception("an answer to an order was not readable")
        return ProviderUnknown(reason=UnknownReason.UNREADABLE, message=kept(error))


def _outcome_of(error: stripe.StripeError) -> Outcome:
    message = str(error.user_message or error)
    if error.http_status == CONFLICT:
        return ProviderUnknown(reason=UnknownReason.IN_FLIGHT, message=message)
    for kind, reason in UNKNOWN:
        if isinstance(error, kind):
            return ProviderUnknown(reason=reason, message=message)
    if isinstance(error, REFUSALS):
        raw = str(error.code or "refused")
        return ProviderRefused(
            code=translate.iso_code(raw),
            raw_code=raw,
            message=message,
            reference=_intent_of(error),
        )
    # 5xx, also one replayed for our key: the work may have been done before it broke.
    return ProviderUnknown(reason=UnknownReason.SERVER_ERROR, message=message)


def _intent_of(error: stripe.StripeError) -> str:
    """The payment intent that a declined order left behind."""
    body = error.json_body if isinstance(error.json_body, dict) else {}
    details = body.get("error") or {}
    return str((details.get("payment_intent") or {}).get("id", ""))


def _strongest(outcomes: list[Outcome]) -> Outcome | None:
    """One id has one operation. Should there be more, what moves money counts."""
    return min(outcomes, key=lambda one: isinstance(one, ProviderRefused), default=None)


@contextmanager
def _asking() -> Iterator[None]:
    """Turns the SDK's errors of a question into ProviderUnreachable."""
    try:
        yield
    except NotSent as error:
        raise ProviderNotCalled(str(error)) from error
    except stripe.StripeError as error:
        raise ProviderUnreachable(kept(error)) from error
    except MISREAD as error:
        raise ProviderUnreachable(f"an answer was not readable: {kept(error)}") from error


def _plain(obj: stripe.StripeObject) -> Json:
    plain: Json = obj.to_dict()
    return plain


def _polled(event: Json) -> PolledEvent:
    return PolledEvent(
        event_id=event["id"],
        event_type=event["type"],
        created_at=datetime.fromtimestamp(event["created"], UTC),
        body=json.dumps(event, separators=(",", ":")).encode(),
    )
