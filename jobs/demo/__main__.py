"""`python -m jobs.demo`: loads the demo insurer into an empty sandbox, once. Documents are rendered
afterwards by the workers; everything else is there when it ends."""

import argparse
import json
import logging
import sys
import time
from datetime import UTC, date, datetime
from functools import partial

from config import Settings
from domain.contracts.premium import instalment_lines
from domain.kernel.ids import derive, name_uuid, write_id
from domain.kernel.lines import total_gross
from domain.kernel.time import berlin
from domain.observing import logs
from domain.payments.commands import RequestRefund
from domain.payments.events import Reason
from domain.payments.ports import PolledEvent
from domain.stream import clock, sequencer
from jobs.context import Context, open_context
from jobs.control import Control
from jobs.demo.past import BEGIN, NOW, TOLD, Past, debits
from jobs.demo.people import Person, people
from jobs.ticker import POLLED

log = logging.getLogger("kontor.demo")

SUPPORT = "staff:stf_mia"
SHORT_FROM, SHORT_UNTIL = berlin(date(2026, 11, 17), 12), berlin(date(2026, 11, 20), 12)
SHORT_CENTS = 7_50
BROKEN_FILE = b"Ihr Kontoauszug konnte nicht erstellt werden."
LOST = "Jonas Ott"
"""His December debit never reached the provider: unknown until a person decides."""


def refunds(by_name: dict[str, Person]) -> list[tuple[datetime, RequestRefund]]:
    """The refunds of the story. Brandt's waits for the second person; Petersen's waited two weeks
    and expires on the demo's first day."""

    def wish(name: str, instalment: int, amount: int, reason: Reason, note: str) -> RequestRefund:
        person = by_name[name]
        return RequestRefund(
            by=SUPPORT,
            refund_id=derive("rf", person.customer, person.customer, instalment),
            payment_id=person.payment(instalment),
            amount=amount,
            reason=reason,
            note=note,
        )

    goodwill, reduction = Reason.GOODWILL, Reason.PREMIUM_REDUCTION
    overpaid = Reason.OVERPAYMENT
    return [
        (berlin(date(2026, 11, 9), 10, 12), wish("Petra Lang", 0, 10_00, goodwill, "Wartezeit")),
        (berlin(date(2026, 11, 10), 9, 40), wish("Lena Möller", 0, 5_00, goodwill, "Telefonat")),
        (
            berlin(date(2026, 11, 12), 14, 5),
            wish("Jule Köhler", 1, 4_00, reduction, "Wohnfläche kleiner als angegeben"),
        ),
        (
            berlin(date(2026, 11, 24), 11, 30),
            wish("Ida Sommer", 1, 8_37, overpaid, "Doppelt überwiesen"),
        ),
        (
            berlin(date(2026, 11, 24), 15, 10),
            wish("Werkstatt Petersen GmbH", 0, 120_00, goodwill, "Kulanz nach Wasserschaden"),
        ),
        (
            berlin(date(2026, 12, 7), 16, 20),
            wish("Nadia Brandt", 1, 129_00, reduction, "Haushalt aufgelöst zum 31.10."),
        ),
    ]


def amount_of(person: Person, instalment: int) -> int:
    return total_gross(
        instalment_lines(
            person.plan.covers,
            instalments_per_year=12,
            surcharge_bp=person.plan.surcharge_bp,
            rounding=person.plan.rounding,
            instalment=instalment,
        )
    )


def customers(everyone: list[Person]) -> list[dict[str, object]]:
    """Who the provider knows, and what their bank does with a debit."""
    return [
        {
            "id": one.provider_customer,
            "name": one.name,
            "email": f"kunde{one.number}@example.com",
            "payment_methods": [
                {"id": one.provider_method, "iban": one.iban, "behaviour": one.behaviour}
            ],
        }
        for one in everyone
    ]


def fill_simulator(
    control: Control, everyone: list[Person], wishes: list[tuple[datetime, RequestRefund]]
) -> dict[str, str]:
    """The provider's and the bank's book of the same months; our ids as the provider names them."""
    collections = [
        {
            "operation_id": one.payment(instalment),
            "customer": one.provider_customer,
            "payment_method": one.provider_method,
            "amount": amount_of(one, instalment),
            "at": berlin(day, 6).isoformat(),
        }
        for one in everyone
        for instalment, day in debits(one)
        if one.name != LOST
    ]
    collections.append(stranger(everyone[-1]))
    sent = [
        {
            "operation_id": wish.refund_id,
            "payment": wish.payment_id,
            "amount": wish.amount,
            "at": at.isoformat(),
        }
        for at, wish in wishes
        if wish.amount <= 100_00
    ]
    known: dict[str, str] = {}

    def seed(since: datetime, until: datetime, **more: object) -> None:
        def part(rows: list[dict[str, object]]) -> list[dict[str, object]]:
            return [row for row in rows if since < datetime.fromisoformat(str(row["at"])) <= until]

        order = {"collections": part(collections), "refunds": part(sent), **more}
        done = control.ask("POST", "/seed", {**order, "until": until.isoformat()})
        for kind in ("payments", "refunds"):
            names = done[kind]
            assert isinstance(names, dict)
            known.update(names)

    control.ask("POST", "/reset")
    seed(BEGIN, SHORT_FROM, now=BEGIN.isoformat(), customers=customers(everyone))
    control.ask("PUT", "/faults", {"payout_short_cents": SHORT_CENTS, "webhooks": {"lost": True}})
    control.set_clock(SHORT_UNTIL)
    foreign = next(one for one in everyone if one.name == "Malte Nissen")
    control.ask("POST", "/act", {"act": "refund", "payment": foreign.payment(0), "amount": 3_00})
    bank_line(control, 50_00, "Kerstin Vogel", "Beitrag?", date(2026, 12, 7))
    stripe = "STRIPE PAYMENTS EUROPE LTD"
    bank_line(control, 12_34, stripe, "-", date(2026, 11, 30), reference="TRACE0000000001")
    control.ask("PUT", "/faults", {})
    seed(SHORT_UNTIL, NOW)
    return known


def stranger(person: Person) -> dict[str, object]:
    """A debit that carries an id of our kind which we never gave: its payout parks one reader."""
    nobody = write_id("pay", name_uuid("demo", "nobody"))
    return {
        "operation_id": nobody,
        "customer": person.provider_customer,
        "payment_method": person.provider_method,
        "amount": 9_99,
        "at": berlin(date(2026, 11, 5), 6).isoformat(),
    }


def bank_line(
    control: Control, cents: int, who: str, text: str, on: date, *, reference: str = ""
) -> None:
    line = {
        "act": "bank_line",
        "amount": cents,
        "counterparty": who,
        "remittance": text,
        "booked_on": on.isoformat(),
        "end_to_end_id": reference,
    }
    control.ask("POST", "/act", line)


def load(context: Context, control: Control, scale: int = 1) -> bool:
    """False when the database holds events already."""
    with context.dispatcher.read() as connection:
        if connection.execute("SELECT EXISTS (SELECT FROM event)").fetchone() == (True,):
            return False
    everyone = people(scale)
    by_name = {one.name: one for one in everyone}
    wishes = refunds(by_name)
    past = Past(context, fill_simulator(control, everyone, wishes))
    past.begin()
    for person in everyone:
        past.insure(person, context.settings.house.creditor_id)
    for at, wish in wishes:
        past.at(at, partial(past.send, wish, wish.refund_id))
    for event in told(control):
        if event.event_type in TOLD and not _is_stranger(event.body):
            past.at(event.created_at, partial(past.hear, event))
    for path in sorted((context.settings.var / "bank").glob("*.xml")):
        day = date.fromisoformat(path.name.split("_")[1])
        past.at(berlin(day, 6, 5), partial(past.read_statement, path))
    past.live()
    with context.dispatcher.read() as connection:
        clock.beat(connection, POLLED, NOW)
    # Two things that nobody understands: a notification of an unknown type, and a broken file.
    control.ask("POST", "/act", {"act": "event"})
    past.receive_file(BROKEN_FILE, "kontoauszug_defekt.xml")
    return True


def told(control: Control) -> list[PolledEvent]:
    """From the book: the provider's own list of events goes back thirty days only."""
    events = control.ask("GET", "/book")["event"]
    assert isinstance(events, list)
    found = [
        PolledEvent(
            event_id=one["id"],
            event_type=one["type"],
            created_at=datetime.fromtimestamp(one["created"], UTC),
            body=json.dumps(one).encode(),
        )
        for one in events
    ]
    return sorted(found, key=lambda one: one.created_at)


def _is_stranger(body: bytes) -> bool:
    return write_id("pay", name_uuid("demo", "nobody")).encode() in body


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--scale", type=int, default=1, help="N times as many customers")
    scale = parser.parse_args().scale
    logs.set_up("demo", Settings.from_env().log)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = Settings.from_env()
    if not settings.sandbox:
        log.error("the demo insurer lives in a sandbox only")
        return 2
    started = time.monotonic()
    context = open_context(settings)
    if not load(context, Control(settings.simulator_control), scale):
        log.info("the demo insurer is not loaded: the database is not empty")
        return 0
    with context.dispatcher.read() as connection:
        events = sequencer.last_position(connection)
    log.info("the demo insurer: %d events in %.1f s", events, time.monotonic() - started)
    return 0


if __name__ == "__main__":
    sys.exit(main())
