"""Refunds, payouts and the list of events through the adapter, over real sockets and judged."""

from datetime import UTC, date, datetime

import pytest

from domain.payments.ports import (
    Ignored,
    PayoutItemKind,
    PayoutUpdate,
    ProviderAccepted,
    ProviderRefused,
    ProviderState,
    RefundUpdate,
    Unrecognised,
)
from tests.jobs.providers.orders import (
    CREATED,
    collected,
    order,
    refund_order,
)


def test_a_refund_is_confirmed_the_next_target_day(sim, stripe_adapter):
    payment = collected(sim, stripe_adapter)
    sim.clock("2026-12-04T12:00:00+00:00")  # a Friday
    outcome = stripe_adapter.refund(refund_order(payment))
    assert outcome.state is ProviderState.PROCESSING
    sim.clock("2026-12-07T08:59:00+00:00")
    assert stripe_adapter.fetch("refund", outcome.reference).state is ProviderState.PROCESSING
    sim.clock("2026-12-07T09:00:00+00:00")
    assert stripe_adapter.fetch("refund", outcome.reference) == RefundUpdate(
        operation_id="rf_1",
        reference=outcome.reference,
        payment_reference=payment,
        state=ProviderState.CONFIRMED,
        amount=500,
    )


def test_more_than_is_left_is_refused(sim, stripe_adapter):
    payment = collected(sim, stripe_adapter)
    assert isinstance(stripe_adapter.refund(refund_order(payment, 1, 1000)), ProviderAccepted)
    assert isinstance(stripe_adapter.refund(refund_order(payment, 2, 251)), ProviderRefused)
    assert isinstance(stripe_adapter.refund(refund_order(payment, 3, 250)), ProviderAccepted)
    last = stripe_adapter.refund(refund_order(payment, 4, 1))
    assert last.raw_code == "charge_already_refunded"
    assert sum(one["amount"] for one in sim.book()["refund"]) == 1250


def test_an_unconfirmed_payment_is_not_refunded(sim, stripe_adapter):
    outcome = stripe_adapter.collect(order())
    refused = stripe_adapter.refund(refund_order(outcome.reference))
    assert refused.raw_code == "payment_intent_unexpected_state"
    assert stripe_adapter.refund(refund_order("pi_none", 2)).raw_code == "resource_missing"


def test_a_refund_refused_at_once(sim, stripe_adapter):
    payment = collected(sim, stripe_adapter)
    sim.put("/faults", {"refuse_refunds": {"count": 1, "code": "balance_insufficient"}})
    assert stripe_adapter.refund(refund_order(payment)).raw_code == "balance_insufficient"
    assert isinstance(stripe_adapter.refund(refund_order(payment, 2)), ProviderAccepted)


@pytest.mark.parametrize(("days", "confirmed_before"), [(1, False), (3, True)])
def test_a_refund_fails_late(sim, stripe_adapter, days, confirmed_before):
    payment = collected(sim, stripe_adapter)
    sim.put("/faults", {"fail_refunds": {"count": 1, "after_days": days, "reason": "declined"}})
    refund = stripe_adapter.refund(refund_order(payment)).reference
    sim.clock("2026-12-04T09:00:00+00:00")
    state = stripe_adapter.fetch("refund", refund).state
    assert (state is ProviderState.CONFIRMED) == confirmed_before
    sim.clock("2026-12-08T09:00:00+00:00")
    update = stripe_adapter.fetch("refund", refund)
    assert (update.state, update.raw_code) == (ProviderState.FAILED, "declined")
    (failed,) = sim.book()["refund"]
    assert ("failure_balance_transaction" in failed) == confirmed_before
    net = sum(one["net"] for one in sim.book()["movements"] if one["source"] == refund)
    assert net == 0


def test_a_payout_lists_what_it_pays(sim, stripe_adapter):
    first = collected(sim, stripe_adapter, 1)
    sim.clock("2026-12-03T17:00:00+00:00")  # 18:00 in Berlin
    (payout,) = sim.book()["payout"]
    update = stripe_adapter.fetch("payout", payout["id"])
    assert isinstance(update, PayoutUpdate)
    assert (update.net, update.trace_id) == (1215, payout["trace_id"]["value"])
    assert update.arrival_on == date(2026, 12, 4)
    (item,) = update.items
    assert (item.kind, item.operation_id) == (PayoutItemKind.PAYMENT, "pay_1")
    assert (item.gross, item.fee, item.net) == (1250, 35, 1215)
    assert item.reference == first


def test_a_payout_carries_every_kind_of_item(sim, stripe_adapter):
    payment = collected(sim, stripe_adapter, 1, amount=50_000)
    sim.clock("2026-12-04T06:00:00+00:00")
    sim.put("/faults", {"fail_refunds": {"count": 1, "after_days": 2}, "webhooks": {"lost": True}})
    stripe_adapter.refund(refund_order(payment, 1))
    sim.post("/act", {"act": "refund", "payment": "pay_1", "amount": 100})
    stripe_adapter.collect(order(2, amount=20_000))
    stripe_adapter.collect(order(3, amount=30_000))
    sim.clock("2026-12-08T09:01:00+00:00")
    sim.post("/act", {"act": "return", "payment": "pay_3", "reason": "insufficient_funds"})
    sim.clock("2026-12-31T17:00:00+00:00")
    updates = [stripe_adapter.fetch("payout", one["id"]) for one in sim.book()["payout"]]
    items = [item for update in updates for item in update.items]
    found = {(item.kind.value, item.operation_id, item.net) for item in items}
    assert found == {
        ("payment", "pay_1", 49_965),
        ("payment", "pay_2", 19_965),
        ("payment", "pay_3", 29_965),
        ("refund", "rf_1", -500),
        ("refund", "", -100),  # made in the dashboard: counts, carries no id of ours
        ("refund_failure", "rf_1", 500),
        ("reversal", "", -30_750),
    }


def test_lists_are_read_to_their_end(sim, stripe_adapter):
    at = "2026-12-01T06:00:00+00:00"
    many = [
        {
            "operation_id": f"pay_{n}",
            "customer": "cus_brandt",
            "payment_method": "pm_brandt",
            "amount": 1000 + n,
            "at": at,
        }
        for n in range(120)
    ]
    sim.post("/seed", {"collections": many, "until": "2026-12-03T17:00:00+00:00"})
    (payout,) = sim.book()["payout"]
    items = stripe_adapter.payout_items(payout["id"])
    assert {item.operation_id for item in items} == {f"pay_{n}" for n in range(120)}
    assert sum(item.net for item in items) == payout["amount"]
    assert isinstance(
        stripe_adapter.look_up_payment("pay_0", CREATED, "cus_brandt"), ProviderAccepted
    )
    events = stripe_adapter.poll_events(CREATED)
    assert len(events) == 120 * 5 + 3
    assert events == sorted(events, key=lambda one: one.created_at)
    assert len({one.event_id for one in events}) == len(events)


def test_events_are_polled_from_a_time_and_kept_30_days(sim, stripe_adapter):
    collected(sim, stripe_adapter)
    later = stripe_adapter.poll_events(datetime(2026, 12, 2, tzinfo=UTC))
    assert [one.event_type for one in later] == ["charge.succeeded", "payment_intent.succeeded"]
    sim.clock("2027-01-01T05:00:01+00:00")
    kept = stripe_adapter.poll_events(CREATED)
    assert min(one.created_at for one in kept) >= datetime(2026, 12, 2, 5, tzinfo=UTC)


def test_what_is_not_there_or_not_ours(sim, stripe_adapter):
    assert isinstance(stripe_adapter.fetch("refund", "re_none"), Unrecognised)
    assert isinstance(stripe_adapter.fetch("mandate", "mandate_1"), Unrecognised)
    collected(sim, stripe_adapter)
    foreign = sim.post("/act", {"act": "refund", "payment": "pay_1", "amount": 100})["refund"]
    assert isinstance(stripe_adapter.fetch("refund", foreign), Ignored)
