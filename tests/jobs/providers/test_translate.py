"""Stripe's words into ours: the tables against lists that nobody here wrote, and the pure functions
on the official examples."""

import json
from copy import deepcopy

import pytest

from domain.payments.ports import (
    Hint,
    Ignored,
    PayoutItemKind,
    ProviderRefused,
    ProviderState,
    ProviderUnknown,
    UnknownReason,
    Unrecognised,
)
from jobs.providers.stripe import translate
from tests.jobs.providers import judge


@pytest.fixture
def examples(judged):
    return deepcopy(judge.fixtures())


def event(event_type: str, object_id: str = "pi_1") -> bytes:
    body = {"id": "evt_1", "type": event_type, "data": {"object": {"id": object_id, "x": 1}}}
    return json.dumps(body).encode()


def test_a_notification_points_at_an_object():
    assert translate.read_notification(event("refund.failed", "re_1")) == Hint(
        event_id="evt_1", event_type="refund.failed", kind="refund", object_id="re_1"
    )


def test_what_other_events_say_too_is_ignored():
    assert isinstance(translate.read_notification(event("charge.succeeded")), Ignored)


@pytest.mark.parametrize(
    "body",
    [
        event("radar.early_fraud_warning.created"),
        event("customer.updated"),
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"id": 1}',
        b'{"id": "evt_1", "type": "payout.paid", "data": {}}',
        b'{"id": "evt_1", "type": "payout.paid", "data": {"object": {"id": null}}}',
    ],
)
def test_what_is_in_no_table_goes_to_quarantine(body):
    assert isinstance(translate.read_notification(body), Unrecognised)


def test_every_event_of_the_table_is_one_of_the_sdk():
    from stripe._event import Event

    known = str(Event.__annotations__["type"])
    assert [
        name for name in translate.EVENTS if f'"{name}"' not in known and f"'{name}'" not in known
    ] == []


def test_every_iso_code_is_in_the_external_code_set(shared):
    codes = shared / "samples" / "iso20022" / "codes" / "external_return_reason_code.json"
    text = codes.read_text()
    for code in translate.ISO_CODES.values():
        assert f'"{code}"' in text, code


def test_every_hint_leads_to_an_object_that_can_be_fetched():
    from jobs.providers.stripe.adapter import FETCH

    assert {kind for kind in translate.EVENTS.values() if kind} == set(FETCH)


def test_an_unknown_reason_keeps_its_raw_code(examples):
    dispute = examples["dispute"] | {
        "status": "lost",
        "reason": "unrecognized",
        "payment_intent": examples["payment_intent"]
        | {"metadata": {"operation_id": "pay_1"}, "payment_method_types": ["sepa_debit"]},
    }
    update = translate.reversal_update(dispute)
    assert (update.code, update.raw_code) == ("", "unrecognized")


def test_a_dispute_that_can_be_answered_is_nobody_elses_return(examples):
    intent = examples["payment_intent"] | {"metadata": {"operation_id": "pay_1"}}
    dispute = examples["dispute"] | {"payment_intent": intent, "status": "needs_response"}
    assert isinstance(translate.reversal_update(dispute), Unrecognised)
    assert isinstance(translate.reversal_update(examples["dispute"]), Unrecognised)


def test_the_official_examples_are_not_ours(examples):
    assert isinstance(translate.payment_update(examples["payment_intent"]), Ignored)
    assert isinstance(translate.refund_update(examples["refund"]), Ignored)
    assert isinstance(translate.payout_state(examples["payout"]), Unrecognised)  # in dollars


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"status": "in_transit"}, Ignored),
        ({"status": "pending"}, Ignored),
        ({"status": "failed"}, Unrecognised),
        ({"status": "paid", "reconciliation_status": "in_progress"}, Ignored),
        ({"status": "paid", "trace_id": {"status": "pending", "value": None}}, Unrecognised),
        ({"status": "paid", "trace_id": {"status": "supported", "value": "T1"}}, type(None)),
    ],
)
def test_a_payout_waits_until_its_list_is_complete(examples, changes, answer):
    payout = examples["payout"] | {"currency": "eur"} | changes
    assert isinstance(translate.payout_state(payout), answer)


def test_a_payout_whose_items_do_not_add_up_is_not_believed(examples):
    transaction = examples["balance_transaction"] | {
        "source": {"id": "py_1", "metadata": {"operation_id": "pay_1"}}
    }
    payout = examples["payout"] | {"trace_id": {"status": "supported", "value": "T1"}}
    items = translate.payout_items([transaction])
    assert isinstance(translate.payout_update(payout | {"amount": 101}, items), Unrecognised)
    told = translate.payout_update(payout | {"amount": 100}, items)
    assert (told.net, told.items[0].operation_id) == (100, "pay_1")


def test_an_unknown_booking_counts_without_an_id(examples):
    fee = examples["balance_transaction"] | {"reporting_category": "fee", "source": None}
    (item,) = translate.payout_items([fee])
    assert (item.kind, item.operation_id, item.net) == (PayoutItemKind.OTHER, "", 100)


@pytest.mark.parametrize("status", ["requires_action", "requires_capture", "something_new"])
def test_a_state_in_no_table_is_an_unknown_outcome(examples, status):
    outcome = translate.payment_outcome(examples["payment_intent"] | {"status": status})
    assert isinstance(outcome, ProviderUnknown)
    assert outcome.reason is UnknownReason.UNREADABLE


def test_a_refund_that_failed_at_once_is_refused(examples):
    failed = examples["refund"] | {"status": "failed", "failure_reason": "declined"}
    assert translate.refund_outcome(failed) == ProviderRefused(
        code="", raw_code="declined", message="declined", reference=failed["id"]
    )
    assert translate.refund_outcome(examples["refund"]).state is ProviderState.CONFIRMED
