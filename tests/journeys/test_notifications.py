"""Webhooks that are doubled, shuffled, late, lost, forged, or about things nobody knows."""

import hashlib
import hmac
import json
import time

import httpx
import pytest

from config import Settings
from domain.operating import notification_subject, translate_again
from domain.payments.events import Reason
from domain.payments.refund import Status
from domain.work.case import Status as CaseStatus
from domain.work.events import CaseType
from tests.journeys.acts import case, refund
from tests.journeys.town import Town

PEOPLE = 3
REFUND = [
    "refund-requested",
    "refund-approved",
    "refund-submitted",
    "refund-accepted",
    "refund-confirmed",
    "refund-paid-out",
    "refund-settled",
]


def test_each_told_a_hundred_times(town: Town) -> None:
    world = town.world
    world.faults(webhooks={"duplicate": 99, "shuffle": True})
    taken = world.book()["deliveries"]["taken"]
    refund_id = refund(world, town.someone(), 20_00)
    assert world.told(refund_id) == REFUND[:4]
    world.faults(webhooks={"duplicate": 4, "shuffle": True})
    town.until_status(refund_id, Status.SETTLED)
    assert world.told(refund_id) == REFUND
    assert world.book()["deliveries"]["taken"] - taken > 200


def test_told_a_day_late(town: Town) -> None:
    world = town.world
    world.faults(webhooks={"delay_minutes": 25 * 60, "shuffle": True})
    refund_id = refund(world, town.someone(), 20_00, Reason.PREMIUM_REDUCTION)
    town.until_status(refund_id, Status.SETTLED)
    assert world.told(refund_id) == REFUND


def test_never_told_at_all(town: Town) -> None:
    world = town.world
    world.polling = True
    try:
        world.faults(webhooks={"lost": True})
        taken = world.book()["deliveries"]["taken"]
        refund_id = refund(world, town.someone(), 20_00)
        town.until_status(refund_id, Status.SETTLED)
    finally:
        world.polling = False
    assert world.told(refund_id) == REFUND
    assert world.book()["deliveries"]["taken"] == taken


def _signed(secret: str, body: bytes, at: float) -> str:
    signed = f"{int(at)}.".encode() + body
    return f"t={int(at)},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def _post(settings: Settings, body: bytes, signature: str | None) -> int:
    headers = {} if signature is None else {"Stripe-Signature": signature}
    return httpx.post(settings.hook_url, content=body, headers=headers, trust_env=False).status_code


def test_what_is_not_stripes_is_not_stored(town: Town) -> None:
    settings = town.world.settings
    secret, now = settings.stripe_webhook_secret, time.time()
    good = json.dumps(
        {"id": "evt_forged", "type": "refund.updated", "data": {"object": {"id": "re_1"}}}
    ).encode()
    before = _inbox(town)
    for body, signature in (
        (good, None),
        (good, "t=1,v1=00"),
        (good, _signed("whsec_wrong", good, now)),
        (good + b" ", _signed(secret, good, now)),
        (good, _signed(secret, good, now - 400)),
        (good, _signed(secret, good, now + 400)),
        (b"{", _signed(secret, b"{", now)),
        (b"[]", _signed(secret, b"[]", now)),
        (b"\xff\xfe" + good, _signed(secret, b"\xff\xfe" + good, now)),
        (b"", _signed(secret, b"", now)),
    ):
        assert _post(settings, body, signature) == 400, (body, signature)
    assert _inbox(town) == before


def _inbox(town: Town) -> int:
    return int(town.world.rows("SELECT count(*) FROM inbox")[0][0])


def test_repeated_is_taken_and_does_nothing(town: Town) -> None:
    world, settings = town.world, town.world.settings
    event = world.book()["event"][-1]
    body = json.dumps(event).encode()
    before = world.rows("SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM event)")
    for _ in range(3):
        signature = _signed(settings.stripe_webhook_secret, body, time.time())
        assert _post(settings, body, signature) == 200
    world.settle()
    after = world.rows("SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM event)")
    assert after == before


def test_what_nobody_knows_waits_for_a_person(town: Town) -> None:
    world = town.world
    world.act("event", event_type="radar.early_fraud_warning.created")
    ((notification_id,),) = world.rows(
        "SELECT notification_id FROM inbox WHERE provider = 'stripe' AND state = 'quarantined'"
    )
    subject = notification_subject("stripe", notification_id)
    kind = CaseType.QUARANTINED_NOTIFICATION
    assert case(world, kind, subject, "1").status is CaseStatus.OPEN
    assert translate_again(world.kontor, "stripe", notification_id, "staff:otto")
    assert case(world, kind, subject, "1").status is CaseStatus.CLOSED
    world.settle()
    assert case(world, kind, subject, "2").status is CaseStatus.OPEN  # Still nobody knows it.


@pytest.fixture(autouse=True)
def _nothing_open(town: Town) -> None:
    town.world.settle()
