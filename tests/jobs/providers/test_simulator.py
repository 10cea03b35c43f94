"""The simulator as a process: its control port, its keys under concurrency, its book on disk, what
a kill leaves, and a demo's past in one order."""

import signal
import stat
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests
import stripe

from domain.payments.ports import ProviderAccepted, ProviderUnknown, UnknownReason
from jobs.providers.stripe.adapter import StripeAdapter
from tests.jobs.providers.orders import CONFIRMED_AT, collected, order, refund_order
from tests.jobs.providers.sandbox import CUSTOMER, START, Simulator, free_ports


def test_a_key_in_flight_is_a_conflict(sim, stripe_adapter):
    sim.put("/faults", {"hold_answers_ms": {"payment_intents.create": 400}})
    outcomes = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(stripe_adapter.collect(order())))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    conflicts = [one for one in outcomes if isinstance(one, ProviderUnknown)]
    assert {one.reason for one in conflicts} == {UnknownReason.IN_FLIGHT}
    assert len(conflicts) == 2
    sim.put("/faults", {})
    assert isinstance(stripe_adapter.collect(order()), ProviderAccepted)
    assert len(sim.book()["payment_intent"]) == 1


def test_a_refused_parameter_is_not_stored_for_its_key(sim):
    client = _unjudged(sim).v1
    good = {
        "amount": 1000,
        "currency": "eur",
        "customer": "cus_brandt",
        "payment_method": "pm_brandt",
        "allowed_payment_method_types": ["sepa_debit"],
        "off_session": True,
        "confirm": True,
    }
    key = {"idempotency_key": "one"}
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.payment_intents.create({**good, "amount": "ten"}, key)
    assert caught.value.param == "amount"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.payment_intents.create({**good, "payment_method_types": ["sepa_debit"]}, key)
    assert caught.value.code == "payment_method_types_no_longer_supported"
    with pytest.raises(stripe.InvalidRequestError):
        client.payment_intents.create({**good, "premium": "1"}, key)
    first = client.payment_intents.create(good, key)
    again = client.payment_intents.create(good, key)
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    original = first.last_response.headers["Request-Id"]
    assert again.last_response.headers["Original-Request"] == original


def _unjudged(sim: Simulator) -> stripe.StripeClient:
    return stripe.StripeClient(
        sim.settings.stripe_api_key, base_addresses={"api": sim.settings.stripe_api_base}
    )


def test_a_refusal_while_working_is_stored(sim, stripe_adapter):
    payment = collected(sim, stripe_adapter)
    too_much = refund_order(payment, 1, 2000)
    assert stripe_adapter.refund(too_much) == stripe_adapter.refund(too_much)
    assert len(sim.book()["refund"]) == 0


def test_the_sdk_searches_by_our_reference(sim, stripe_adapter):
    stripe_adapter.collect(order(1))
    found = sim.client().v1.payment_intents.search({"query": "metadata['operation_id']:'pay_1'"})
    assert [one.metadata["operation_id"] for one in found.data] == ["pay_1"]


def test_basic_and_bearer_and_nothing_else(sim):
    url = f"{sim.settings.stripe_api_base}/v1/payouts"
    key = sim.settings.stripe_api_key
    assert requests.get(url, auth=(key, ""), timeout=5).status_code == 200
    assert requests.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=5).ok
    refused = requests.get(url, timeout=5)
    assert refused.status_code == 401
    assert refused.json()["error"]["type"] == "invalid_request_error"
    assert requests.get(url, auth=(key, ""), timeout=5).headers["Request-Id"].startswith("req_")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/payouts/po_none", 404),
        ("/v1/cats", 404),
        ("/v1/payouts?colour=red", 400),
        ("/v1/payouts?starting_after=po_none", 400),
        ("/v1/payouts?expand[]=data.balance_transaction", 200),
        ("/v1/refunds?created[since]=1", 400),
        ("/v1/refunds?limit[x]=1", 400),
        ("/", 404),
        ("//", 404),
    ],
)
def test_odd_questions_get_an_answer(sim, path, status):
    key = sim.settings.stripe_api_key
    answer = requests.get(f"{sim.settings.stripe_api_base}{path}", auth=(key, ""), timeout=5)
    assert answer.status_code == status
    assert (status == 200) or answer.json()["error"]["message"]


def test_the_clock_does_all_that_is_due_in_order_and_never_goes_back(sim, stripe_adapter):
    stripe_adapter.collect(order())
    assert sim.get("/next")["at"] == "2026-12-02T05:00:00+00:00"  # the statement of that morning
    assert sim.clock("2026-12-02T05:00:00+00:00")["next"] == "2026-12-03T05:00:00+00:00"
    sim.clock("2026-12-31T12:00:00+00:00")
    created = [one["created"] for one in sim.book()["event"]]
    assert created == sorted(created)
    status, answer = sim.raw("PUT", "/clock", b'{"now": "2026-12-30T12:00:00+00:00"}')
    assert (status, "does not go back" in answer["error"]) == (409, True)
    assert sim.get("/clock") == {"now": "2026-12-31T12:00:00+00:00"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/clock", b'{"now": "2026-12-30T12:00:00"}', 400),
        ("PUT", "/clock", b'{"now": "tomorrow"}', 400),
        ("PUT", "/faults", b'{"loose_answers": {}}', 400),
        ("PUT", "/faults", b'{"lose_answers": {"payments": 1}}', 400),
        ("PUT", "/faults", b"\xff", 400),
        ("POST", "/act", b'{"act": "explode"}', 400),
        ("POST", "/act", b'{"act": "return", "payment": "pay_none"}', 400),
        ("POST", "/act", b'{"act": "bank_line"}', 400),
        ("POST", "/seed", b'{"customers": [{"id": 1}]}', 400),
        ("GET", "/nothing", b"", 404),
    ],
)
def test_the_control_port_says_what_is_wrong(sim, method, path, body, status):
    got, answer = sim.raw(method, path, body)
    assert got == status
    assert answer["error"]


def test_faults_count_down(sim, stripe_adapter):
    sim.put("/faults", {"lose_answers": {"refunds.create": 2}, "fail_debits": {"count": 1}})
    stripe_adapter.collect(order())
    faults = sim.get("/faults")
    assert faults["lose_answers"] == {"refunds.create": 2}
    assert faults["fail_debits"]["count"] == 0


def test_without_a_clock_the_book_is_closed(sim):
    sim.post("/reset")
    assert sim.get("/next") == {"at": None, "next": None}
    assert sim.quiet()
    adapter = StripeAdapter.from_settings(sim.settings)
    assert adapter.collect(order()).reason is UnknownReason.SERVER_ERROR
    assert sim.book()["payment_intent"] == []


def test_a_debit_on_a_day_before_a_holiday(sim, stripe_adapter):
    """D = Wed 23 Dec: D+1 is the 24th, D+2 is Monday the 28th."""
    sim.clock("2026-12-23T05:00:00+00:00")
    outcome = stripe_adapter.collect(order())
    sim.clock("2026-12-28T08:59:59+00:00")
    assert stripe_adapter.fetch("payment_intent", outcome.reference).state == "processing"
    sim.clock("2026-12-28T09:00:00+00:00")
    assert stripe_adapter.fetch("payment_intent", outcome.reference).state == "confirmed"


@pytest.fixture
def own(tmp_path):
    """A process of this test's own, to be killed."""
    simulator = Simulator(tmp_path, free_ports())
    simulator.post("/seed", {"now": START, "customers": [CUSTOMER]})
    simulator.put("/faults", {"webhooks": {"lost": True}})
    yield simulator
    simulator.stop(signal.SIGKILL)


def test_a_killed_simulator_remembers_everything_it_answered(own, judged):
    adapter = own.adapter()
    outcome = adapter.collect(order())
    own.put("/faults", {"lose_answers": {"refunds.create": 1}, "webhooks": {"lost": True}})
    before = own.book()
    assert own.stop(signal.SIGKILL) == -signal.SIGKILL
    own.start()
    assert own.book() == before
    assert own.get("/faults")["lose_answers"] == {"refunds.create": 1}
    assert own.adapter().collect(order()) == outcome
    own.clock(CONFIRMED_AT)
    assert own.adapter().fetch("payment_intent", outcome.reference).state == "confirmed"


def test_its_book_is_its_own(own):
    book = own.var / "simulator" / "book.sqlite"
    assert stat.S_IMODE(book.stat().st_mode) == 0o600
    assert stat.S_IMODE(book.parent.stat().st_mode) == 0o700


def test_it_stops_cleanly(own):
    started = time.monotonic()
    assert own.stop() == 0
    assert time.monotonic() - started < 5


def test_the_same_orders_make_the_same_book(sim, stripe_adapter):
    def tell() -> object:
        sim.post("/reset")
        sim.post("/seed", {"now": START, "customers": [CUSTOMER]})
        payment = collected(sim, stripe_adapter)
        stripe_adapter.refund(refund_order(payment))
        sim.clock("2026-12-10T12:00:00+00:00")
        files = sorted((sim.var / "bank").iterdir())
        book = sim.book()
        book.pop("deliveries")
        return book, [path.read_bytes() for path in files]

    assert tell() == tell()


def test_three_months_of_a_demo_in_one_order(sim):
    begin = datetime(2026, 12, 1, 5, tzinfo=UTC)
    collections = [
        {
            "operation_id": f"pay_{n}",
            "customer": "cus_brandt",
            "payment_method": "pm_brandt",
            "amount": 1000 + n,
            "at": (begin + timedelta(hours=12 * n)).isoformat(),
        }
        for n in range(120)
    ]
    refund_at = (begin + timedelta(days=20)).isoformat()
    refund = {"operation_id": "rf_1", "payment": "pay_0", "amount": 300, "at": refund_at}
    started = time.monotonic()
    done = sim.post(
        "/seed",
        {"collections": collections, "refunds": [refund], "until": "2027-03-01T07:30:00+00:00"},
    )
    assert time.monotonic() - started < 3
    assert set(done["payments"]) == {f"pay_{n}" for n in range(120)}
    book = sim.book()
    assert {one["status"] for one in book["payment_intent"]} == {"succeeded"}
    assert done["refunds"] == {"rf_1": book["refund"][0]["id"]}
    assert book["deliveries"]["open"] == []
    assert book["now"] == "2027-03-01T07:30:00+00:00"
    assert all(one["payout"] for one in book["movements"])
    assert len(sim.get("/bank")["statements"]) == 62
