"""The judge itself: what it must not let through. Without these, a green adapter proves nothing."""

from copy import deepcopy

import pytest

from tests.jobs.providers import judge
from tests.jobs.providers.orders import collected, order, refund_order
from tests.jobs.providers.sandbox import Simulator

GOOD = (
    "amount=1250&currency=eur&customer=cus_1&payment_method=pm_1&off_session=true&confirm=true"
    "&allowed_payment_method_types[0]=sepa_debit&metadata[operation_id]=pay_1"
)
CREATE = "http://127.0.0.1/v1/payment_intents"


def test_a_good_request_passes(judged):
    judge.judge_request("post", CREATE, GOOD)


@pytest.mark.parametrize(
    "wrong",
    [
        GOOD.replace("amount=1250", "amount=12.50"),
        GOOD.replace("amount=1250&", ""),
        GOOD.replace("confirm=true", "confirm=yes"),
        GOOD.replace("allowed_payment_method_types[0]", "payment_method_types[0]"),
        GOOD + "&operation_id=pay_1",
        GOOD + "&capture_method=later",
        GOOD.replace("metadata[operation_id]", "metadata[operation_id][x]"),
    ],
)
def test_a_wrong_request_does_not(judged, wrong):
    with pytest.raises(judge.Verdict):
        judge.judge_request("post", CREATE, wrong)


@pytest.mark.parametrize(
    "query",
    ["payout=po_1&expand[0]=data.source&limit=100", "payout=po_1&starting_after=txn_1"],
)
def test_a_good_question_passes(judged, query):
    judge.judge_request("get", f"http://127.0.0.1/v1/balance_transactions?{query}", "")


@pytest.mark.parametrize("query", ["payouts=po_1", "limit=many", "starting_after[id]=txn_1"])
def test_a_wrong_question_does_not(judged, query):
    with pytest.raises(judge.Verdict):
        judge.judge_request("get", f"http://127.0.0.1/v1/balance_transactions?{query}", "")


def test_a_path_that_does_not_exist(judged):
    with pytest.raises(judge.Verdict):
        judge.judge_request("get", "http://127.0.0.1/v1/payment_intent", "")


TAMPERED = [
    ("payment_intent", "amount", "1250"),
    ("payment_intent", "status", "done"),
    ("payment_intent", "metadata", None),
    ("charge", "failure_code", "no_money"),
    ("charge", "created", None),
    ("refund", "status", "ok"),
    ("refund", "pending_reason", "later"),
    ("payout", "reconciliation_status", "done"),
    ("payout", "trace_id", {"value": "T1"}),
    ("balance_transaction", "fee", "35"),
    ("balance_transaction", "reporting_category", "sepa"),
    ("dispute", "reason", "unhappy"),
    ("dispute", "status", "won"),
]


@pytest.fixture
def answers(sim: Simulator, stripe_adapter):
    """One of each object, as the simulator answers it."""
    stripe_adapter.collect(order(2, amount=90_000))
    collected(sim, stripe_adapter, 1)
    sim.clock("2026-12-03T17:00:00+00:00")
    (payment,) = [one["id"] for one in sim.book()["payment_intent"] if one["amount"] == 1250]
    stripe_adapter.refund(refund_order(payment))
    sim.post("/act", {"act": "return", "payment": "pay_2", "reason": "general"})
    book = sim.book()
    return {kind: book[kind][0] for kind in {kind for kind, _, _ in TAMPERED}}


def path(kind: str, obj) -> str:
    return f"/v1/{kind}s/{obj['id']}"


def test_a_tampered_answer_is_seen(answers):
    for kind, name, value in TAMPERED:
        good = answers[kind]
        judge.judge_answer("get", path(kind, good), 200, good)
        with pytest.raises(judge.Verdict):
            judge.judge_answer("get", path(kind, good), 200, good | {name: value})


def test_a_key_too_few_or_too_many_is_seen(answers):
    for kind, good in answers.items():
        short = deepcopy(good)
        short.pop("currency")
        for bad in (short, good | {"settled": True}, good | {"_payout": None}):
            with pytest.raises(judge.Verdict):
                judge.judge_answer("get", path(kind, good), 200, bad)


def test_the_official_examples_pass_their_own_specification(judged):
    """Else the judge would refuse Stripe itself."""
    for kind in ("refund", "payout", "balance_transaction"):
        good = judge.fixtures()[kind]
        judge.judge_answer("get", f"/v1/{kind}s/x", 200, good | _within_our_tables(kind))


def _within_our_tables(kind: str) -> dict[str, object]:
    return {"payout": {"status": "paid"}}.get(kind, {})
