"""The bank behind the sandbox: one valid statement per TARGET day, each continuing the one before,
with payouts under their trace id; and the money of both books is the same money."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from lxml import etree

from config import HAFENLICHT
from domain.kernel.time import is_target_day
from jobs.runs.statement import read_statement
from tests.jobs.providers.orders import collected, order, refund_order


@pytest.fixture
def statements(sim):
    """Reads all statement files, in order."""

    def read():
        files = [one["file"] for one in sim.get("/bank")["statements"]]
        return [
            read_statement((sim.var / "bank" / name).read_bytes(), HAFENLICHT.iban)
            for name in files
        ]

    return read


def test_one_statement_a_target_day_also_over_christmas(sim, statements):
    sim.clock("2027-01-05T12:00:00+00:00")
    read = statements()
    assert read[-1].header.to_on == date(2027, 1, 5)
    days = [one.header.to_on for one in read]
    calendar = [date(2026, 12, 2) + timedelta(days=n) for n in range(35)]
    assert days == [day for day in calendar if is_target_day(day)]
    assert date(2026, 12, 24) in days
    assert not {date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1)} & set(days)
    assert [one.header.sequence for one in read] == list(range(1, len(read) + 1))
    for before, after in pairwise(read):
        assert after.header.opening == before.header.closing
        assert after.header.from_on.toordinal() == before.header.to_on.toordinal() + 1


def test_a_payout_is_on_the_next_target_days_statement(sim, stripe_adapter, statements):
    collected(sim, stripe_adapter)
    sim.clock("2026-12-03T17:00:00+00:00")  # Thursday 18:00
    (payout,) = sim.book()["payout"]
    assert all(one.header.lines == 0 for one in statements())
    assert sim.get("/next")["at"] == "2026-12-04T05:00:00+00:00"
    sim.clock("2026-12-04T05:00:00+00:00")  # Friday 06:00
    last = statements()[-1]
    (line,) = last.lines()
    assert (line.amount, line.booked_on) == (1215, date(2026, 12, 4))
    assert line.end_to_end_id == payout["trace_id"]["value"]
    assert "STRIPE" in line.counterparty
    assert payout["id"] in line.remittance
    assert payout["arrival_date"] == 1796360400
    assert last.header.closing - last.header.opening == 1215


def test_a_payout_over_the_weekend(sim, stripe_adapter, statements):
    sim.clock("2026-12-02T05:00:00+00:00")
    stripe_adapter.collect(order())
    sim.clock("2026-12-07T04:59:59+00:00")
    assert len(sim.book()["payout"]) == 1
    assert sum(one.header.lines for one in statements()) == 0
    sim.clock("2026-12-07T05:00:00+00:00")
    assert [line.amount for line in statements()[-1].lines()] == [1215]


def test_a_lone_refund_is_carried_on_until_money_comes(sim, stripe_adapter):
    payment = collected(sim, stripe_adapter)
    sim.clock("2026-12-04T06:00:00+00:00")
    stripe_adapter.refund(refund_order(payment))
    stripe_adapter.collect(order(2, amount=2000))
    sim.clock("2026-12-07T18:00:00+00:00")
    assert [one["amount"] for one in sim.book()["payout"]] == [1215]
    carried = [one for one in sim.book()["movements"] if one["payout"] is None]
    assert [(one["operation_id"], one["net"]) for one in carried] == [("rf_1", -500)]
    sim.clock("2026-12-08T18:00:00+00:00")
    assert [one["amount"] for one in sim.book()["payout"]] == [1215, 2000 - 35 - 500]


def test_a_payout_arrives_short(sim, stripe_adapter, statements):
    collected(sim, stripe_adapter)
    sim.put("/faults", {"payout_short_cents": 750, "webhooks": {"lost": True}})
    sim.clock("2026-12-04T05:00:00+00:00")
    assert [line.amount for line in statements()[-1].lines()] == [1215 - 750]
    assert sim.get("/faults")["payout_short_cents"] == 0


def test_free_lines(sim, statements):
    act = {"act": "bank_line", "counterparty": "Unbekannt & Söhne", "remittance": "Hausrat?"}
    sim.post("/act", {**act, "amount": 5000})
    sim.post("/act", {**act, "amount": -250, "booked_on": "2026-12-05"})  # a Saturday
    assert len(sim.get("/bank")["waiting"]) == 2
    sim.clock("2026-12-07T05:00:00+00:00")
    lines = [line for one in statements() for line in one.lines()]
    assert [(one.amount, one.booked_on.isoformat()) for one in lines] == [
        (5000, "2026-12-02"),
        (-250, "2026-12-07"),
    ]
    assert lines[0].counterparty == "Unbekannt & Söhne"
    assert lines[0].end_to_end_id == ""


def test_every_file_is_valid_and_private(sim, stripe_adapter, shared):
    schema = etree.XMLSchema(
        etree.parse(shared / "samples" / "iso20022" / "xsd" / "camt.053.001.08.xsd")
    )
    collected(sim, stripe_adapter)
    sim.post("/act", {"act": "bank_line", "amount": -99, "counterparty": "Ämter <&>"})
    sim.clock("2026-12-31T12:00:00+00:00")
    files = sorted((sim.var / "bank").iterdir())
    assert len(files) == len(sim.get("/bank")["statements"])
    for path in files:
        schema.assertValid(etree.parse(path))
        assert path.stat().st_mode & 0o077 == 0


def test_both_books_tell_the_same_money(sim, stripe_adapter, statements):
    for n in range(5):
        stripe_adapter.collect(order(n, amount=10_000 + n))
    sim.clock("2026-12-04T06:00:00+00:00")
    stripe_adapter.refund(refund_order(sim.book()["payment_intent"][0]["id"]))
    sim.post("/act", {"act": "return", "payment": "pay_4"})
    stripe_adapter.collect(order(9, amount=20_000))
    sim.clock("2026-12-20T12:00:00+00:00")
    book = sim.book()
    in_payouts = sum(one["net"] for one in book["movements"] if one["category"] != "payout")
    assert in_payouts == sum(one["amount"] for one in book["payout"])
    arrived = sum(line.amount for one in statements() for line in one.lines())
    assert arrived == in_payouts == 50_010 + 20_000 - 6 * 35 - 500 - 10_004 - 750
