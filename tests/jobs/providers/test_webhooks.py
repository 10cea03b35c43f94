"""Webhooks over real sockets: signed, only when the Clock allows, again until they are taken; with
duplicates, disorder, delay and loss on demand."""

import json
import time
from datetime import UTC, datetime

import pytest
import stripe

from domain.payments.ports import Hint, Ignored, Unrecognised
from domain.payments.signatures import Rejected, Verified, check
from jobs.providers.stripe.translate import read_notification
from tests.jobs.providers import judge
from tests.jobs.providers.orders import CONFIRMED_AT, order, refund_order
from tests.jobs.providers.sandbox import wait_until

AT_ONCE = ["payment_intent.created", "charge.pending", "payment_intent.processing"]
CONFIRMED = ["charge.succeeded", "payment_intent.succeeded"]


def test_a_debit_is_told_step_by_step(sim, hook, stripe_adapter):
    stripe_adapter.collect(order())
    wait_until(lambda: len(hook.taken) == 3)
    assert sorted(hook.types()) == sorted(AT_ONCE)
    wait_until(sim.quiet)
    sim.clock(CONFIRMED_AT)
    wait_until(lambda: len(hook.taken) == 5)
    assert sorted(hook.types()[3:]) == CONFIRMED


def test_signatures_hold_and_bodies_are_stripes(sim, hook, stripe_adapter):
    outcome = stripe_adapter.collect(order())
    sim.clock("2026-12-04T06:00:00+00:00")
    stripe_adapter.refund(refund_order(outcome.reference))
    sim.clock("2026-12-09T06:00:00+00:00")
    sim.post("/act", {"act": "return", "payment": "pay_1"})
    wait_until(sim.quiet)
    secret, now = sim.settings.stripe_webhook_secret, int(time.time())
    for one in hook.taken:
        headers = {"Stripe-Signature": one.signature}
        assert check("stripe", one.body, headers, secret, now) == Verified()
        assert stripe.Webhook.construct_event(one.body, one.signature, secret).id
        tampered = one.body.replace(b"1250", b"9250")
        if tampered != one.body:
            assert isinstance(check("stripe", tampered, headers, secret, now), Rejected)
        judge.judge_event(one.body)
        assert isinstance(read_notification(one.body), Hint | Ignored)
    assert {"refund.updated", "charge.dispute.created", "payout.paid"} <= set(hook.types())


def test_created_is_clock_time_and_the_signature_wall_time(sim, hook, stripe_adapter):
    stripe_adapter.collect(order())
    wait_until(lambda: len(hook.taken) == 3)
    created = datetime.fromtimestamp(hook.taken[0].event["created"], UTC)
    assert created == datetime(2026, 12, 1, 5, tzinfo=UTC)
    signed_at = int(hook.taken[0].signature.partition(",")[0].removeprefix("t="))
    assert abs(signed_at - time.time()) < 30


def test_duplicates_and_disorder(sim, hook, stripe_adapter):
    sim.put("/faults", {"webhooks": {"duplicate": 2, "shuffle": True}})
    for n in range(6):
        stripe_adapter.collect(order(n))
    wait_until(lambda: len(hook.taken) == 6 * 3 * 3)
    wait_until(sim.quiet)
    hook.deliveries.clear()
    sim.clock(CONFIRMED_AT)
    wait_until(lambda: len(hook.taken) == 6 * 2 * 3)
    ids = [one.event["id"] for one in hook.taken]
    assert len(set(ids)) == 6 * 2
    listed = [one["id"] for one in sim.book()["event"]]
    assert ids != sorted(ids, key=listed.index)
    bodies = {one.event["id"]: json.dumps(one.event) for one in hook.taken}
    assert all(bodies[one.event["id"]] == json.dumps(one.event) for one in hook.taken)


def test_a_delay_is_of_clock_time(sim, hook, stripe_adapter):
    sim.put("/faults", {"webhooks": {"delay_minutes": 90}})
    stripe_adapter.collect(order())
    assert sim.get("/next")["at"] == "2026-12-01T06:30:00+00:00"
    assert sim.quiet()
    sim.clock("2026-12-01T06:29:59+00:00")
    time.sleep(0.2)
    assert hook.deliveries == []
    sim.clock("2026-12-01T06:30:00+00:00")
    wait_until(lambda: len(hook.taken) == 3)


def test_lost_webhooks_are_still_in_the_list(sim, hook, stripe_adapter):
    sim.put("/faults", {"webhooks": {"lost": True}})
    stripe_adapter.collect(order())
    assert sim.quiet()
    polled = stripe_adapter.poll_events(datetime(2026, 12, 1, tzinfo=UTC))
    assert [one.event_type for one in polled] == AT_ONCE
    assert hook.deliveries == []


@pytest.mark.parametrize("status", [500, 503, 400, 302])
def test_what_is_not_taken_comes_again(sim, hook, stripe_adapter, status):
    hook.answers = [status] * 5
    stripe_adapter.collect(order())
    assert not sim.quiet()
    wait_until(lambda: len(hook.taken) == 3, 20)
    assert len(hook.deliveries) == 8
    wait_until(sim.quiet)
    assert sorted(hook.types()) == sorted(AT_ONCE)


def test_polled_and_pushed_are_the_same_events(sim, hook, stripe_adapter):
    stripe_adapter.collect(order())
    sim.clock(CONFIRMED_AT)
    wait_until(sim.quiet)
    polled = stripe_adapter.poll_events(datetime(2026, 12, 1, tzinfo=UTC))
    pushed = {one.event["id"]: one.event for one in hook.taken}
    assert {one.event_id: json.loads(one.body) for one in polled} == pushed


def test_an_event_about_a_thing_we_do_not_know(sim, hook):
    sim.post("/act", {"act": "event"})
    wait_until(lambda: len(hook.taken) == 1)
    assert isinstance(read_notification(hook.taken[0].body), Unrecognised)
