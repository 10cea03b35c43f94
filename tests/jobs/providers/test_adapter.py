"""Collections through the adapter over real sockets: what it orders, what it learns, and what it
says when the answer is lost. The judge looks at every request and answer."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.payments.ports import (
    PaymentReversal,
    PaymentUpdate,
    ProviderAccepted,
    ProviderRefused,
    ProviderState,
    ProviderUnknown,
    ProviderUnreachable,
    UnknownReason,
)
from jobs.providers.stripe.adapter import StripeAdapter
from tests.jobs.providers.judge import Judged
from tests.jobs.providers.orders import (
    CONFIRMED_AT,
    CREATED,
    ODD,
    collected,
    order,
    refund_order,
    seed_behaviour,
)
from tests.jobs.providers.sandbox import free_ports


def test_a_collection_is_processing_then_confirmed(sim, stripe_adapter):
    before = Judged.judged
    outcome = stripe_adapter.collect(order(description="Hausrat, Dezember 2026"))
    assert outcome == ProviderAccepted(reference=outcome.reference, state=ProviderState.PROCESSING)
    sim.clock("2026-12-03T08:59:00+00:00")
    told = stripe_adapter.fetch("payment_intent", outcome.reference)
    assert told.state is ProviderState.PROCESSING
    sim.clock(CONFIRMED_AT)
    assert stripe_adapter.fetch("payment_intent", outcome.reference) == PaymentUpdate(
        operation_id="pay_1",
        reference=outcome.reference,
        state=ProviderState.CONFIRMED,
        amount=1250,
    )
    assert Judged.judged == before + 3


def test_the_same_key_moves_money_once(sim, stripe_adapter):
    assert stripe_adapter.collect(order()) == stripe_adapter.collect(order())
    assert len(sim.book()["payment_intent"]) == 1


def test_a_key_with_other_content_is_unknown_and_never_a_refusal(sim, stripe_adapter):
    stripe_adapter.collect(order())
    outcome = stripe_adapter.collect(order(amount=9900))
    assert isinstance(outcome, ProviderUnknown)
    assert outcome.reason is UnknownReason.KEY_REUSED


def test_after_24_hours_the_same_key_would_collect_again(sim, stripe_adapter):
    """Why a late retry has to ask first: Stripe forgets."""
    stripe_adapter.collect(order())
    sim.clock("2026-12-02T04:59:59+00:00")
    stripe_adapter.collect(order())
    assert len(sim.book()["payment_intent"]) == 1
    sim.clock("2026-12-02T05:00:00+00:00")
    stripe_adapter.collect(order())
    assert len(sim.book()["payment_intent"]) == 2


@pytest.mark.parametrize("fault", ["lose_answers", "store_500"])
def test_a_lost_answer_is_found_by_our_reference(sim, stripe_adapter, fault):
    sim.put("/faults", {fault: {"payment_intents.create": 1}})
    outcome = stripe_adapter.collect(order())
    assert isinstance(outcome, ProviderUnknown)
    found = stripe_adapter.look_up_payment("pay_1", CREATED, "cus_brandt")
    assert isinstance(found, ProviderAccepted)
    assert [one["id"] for one in sim.book()["payment_intent"]] == [found.reference]


def test_a_stored_500_is_replayed_for_its_key(sim, stripe_adapter):
    sim.put("/faults", {"store_500": {"payment_intents.create": 1}})
    outcomes = [stripe_adapter.collect(order()) for _ in range(3)]
    assert {one.reason for one in outcomes} == {UnknownReason.SERVER_ERROR}
    assert len(sim.book()["payment_intent"]) == 1


def test_a_lost_request_is_not_there_and_may_be_sent_again(sim, stripe_adapter):
    sim.put("/faults", {"lose_requests": {"payment_intents.create": 1}})
    assert isinstance(stripe_adapter.collect(order()), ProviderUnknown)
    assert stripe_adapter.look_up_payment("pay_1", CREATED, "cus_brandt") is None
    assert isinstance(stripe_adapter.collect(order()), ProviderAccepted)
    assert len(sim.book()["payment_intent"]) == 1


def test_the_answer_to_a_refund_is_lost(sim, stripe_adapter):
    payment = collected(sim, stripe_adapter)
    sim.put("/faults", {"lose_answers": {"refunds.create": 1}})
    assert isinstance(stripe_adapter.refund(refund_order(payment)), ProviderUnknown)
    found = stripe_adapter.look_up_refund("rf_1", payment)
    assert isinstance(found, ProviderAccepted)
    assert stripe_adapter.refund(refund_order(payment)) == found
    assert stripe_adapter.look_up_refund("rf_2", payment) is None
    assert len(sim.book()["refund"]) == 1


def test_nobody_listens(sim, stripe_adapter):
    nowhere = replace(sim.settings, stripe_api_base=f"http://127.0.0.1:{free_ports()}")
    adapter = StripeAdapter.from_settings(nowhere)
    outcome = adapter.collect(order())
    assert outcome.reason is UnknownReason.CONNECTION
    with pytest.raises(ProviderUnreachable):
        adapter.look_up_payment("pay_1", CREATED, "cus_brandt")


def test_a_wrong_api_key_says_nothing_about_the_money(sim):
    adapter = StripeAdapter.from_settings(replace(sim.settings, stripe_api_key="sk_test_wrong"))
    assert adapter.collect(order()).reason is UnknownReason.NOT_ALLOWED
    with pytest.raises(ProviderUnreachable):
        adapter.fetch("payment_intent", "pi_1")


@pytest.mark.parametrize(
    ("changes", "raw_code"),
    [
        ({"customer": "cus_nobody"}, "resource_missing"),
        ({"payment_method": "pm_nobody"}, "resource_missing"),
        ({"amount": 49}, "amount_too_small"),
    ],
)
def test_an_impossible_collection_is_refused(sim, stripe_adapter, changes, raw_code):
    outcome = stripe_adapter.collect(order(**changes))
    assert isinstance(outcome, ProviderRefused)
    assert outcome.raw_code == raw_code
    assert sim.book()["payment_intent"] == []


def test_a_decline_at_once_names_the_intent_it_left_behind(sim, stripe_adapter):
    seed_behaviour(sim, refuse="account_closed")
    outcome = stripe_adapter.collect(order(**ODD))
    assert isinstance(outcome, ProviderRefused)
    assert (outcome.code, outcome.raw_code) == ("AC04", "account_closed")
    assert outcome.reference == sim.book()["payment_intent"][0]["id"]
    assert stripe_adapter.look_up_payment("pay_1", CREATED, "cus_odd") == outcome


@pytest.mark.parametrize(
    ("raw_code", "code"), [("insufficient_funds", "AM04"), ("account_closed", "AC04")]
)
def test_a_debit_fails_at_the_bank(sim, stripe_adapter, raw_code, code):
    seed_behaviour(sim, fail=raw_code)
    payment = collected(sim, stripe_adapter, **ODD)
    update = stripe_adapter.fetch("payment_intent", payment)
    assert (update.state, update.code, update.raw_code) == (ProviderState.FAILED, code, raw_code)
    assert sim.book()["movements"] == []


def test_a_returned_debit_is_a_reversal_with_its_fee(sim, stripe_adapter):
    seed_behaviour(sim, return_reason="customer_initiated", return_after_days=5)
    payment = collected(sim, stripe_adapter, **ODD)
    sim.clock("2026-12-08T08:59:00+00:00")
    assert sim.book()["dispute"] == []
    sim.clock("2026-12-08T09:00:00+00:00")
    (dispute,) = sim.book()["dispute"]
    assert stripe_adapter.fetch("dispute", dispute["id"]) == PaymentReversal(
        operation_id="pay_1",
        reference=payment,
        reversal_reference=dispute["id"],
        amount=1250,
        fee=750,
        code="MD06",
        raw_code="customer_initiated",
        reversed_at=datetime(2026, 12, 8, 9, tzinfo=UTC),
    )
    refused = stripe_adapter.refund(refund_order(payment))
    assert refused.raw_code == "charge_disputed"
