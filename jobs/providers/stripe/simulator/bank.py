"""The bank behind the sandbox: our house account as a second book, with one camt.053.001.08
statement file per TARGET day. Payouts arrive here; other lines are added by the control port."""

import os
from datetime import date, timedelta
from pathlib import Path

from domain.kernel.time import berlin, berlin_date, next_target_day
from jobs.providers.stripe.simulator import camt
from jobs.providers.stripe.simulator.store import Json
from jobs.providers.stripe.simulator.world import World

OPENING_CENTS = 25_000_000
PAYER = "STRIPE PAYMENTS EUROPE LTD"
PAYER_IBAN = "IE29AIBK93115212345678"


def folder(world: World) -> Path:
    return world.settings.var / "bank"


def add_line(world: World, line: Json, booked_on: date) -> Json:
    """A booking on our account: `amount` in cents, signed; told in that day's statement."""
    kept = {
        "id": world.new_id("ln"),
        "amount": line["amount"],
        "booked_on": booked_on.isoformat(),
        "end_to_end_id": line.get("end_to_end_id") or "NOTPROVIDED",
        "counterparty": line["counterparty"],
        "counterparty_iban": line.get("counterparty_iban", ""),
        "remittance": line["remittance"],
        "reason": line.get("reason", ""),
        "statement": None,
    }
    return world.put("bank_line", kept)


def receive_payout(world: World, payout: Json) -> None:
    """The payout arrives the next TARGET day, in full unless the fault says short."""
    short, world.faults.payout_short_cents = world.faults.payout_short_cents, 0
    line = {
        "amount": payout["amount"] - short,
        "end_to_end_id": payout["trace_id"]["value"],
        "counterparty": PAYER,
        "counterparty_iban": PAYER_IBAN,
        "remittance": f"STRIPE {payout['id']}",
    }
    add_line(world, line, next_target_day(berlin_date(world.now)))


def write_statement(world: World, _action: Json) -> None:
    """Today's statement, also without lines. The file is whole or absent, and written before the
    book remembers it: after a kill the same file is written again, byte for byte."""
    today = berlin_date(world.now)
    last = world.store.all("statement")[-1:]
    opening = last[0]["closing"] if last else OPENING_CENTS
    since = date.fromisoformat(last[0]["to"]) + timedelta(days=1) if last else today
    due = [
        line
        for line in world.store.all("bank_line")
        if line["statement"] is None and line["booked_on"] <= today.isoformat()
    ]
    sequence = world.count("statement")
    statement = {
        "id": f"{today:%Y%m%d}-{sequence:05}",
        "sequence": sequence,
        "from": since.isoformat(),
        "to": today.isoformat(),
        "created": berlin(today, 6).isoformat(),
        "opening": opening,
        "closing": opening + sum(line["amount"] for line in due),
        "lines": len(due),
        "file": f"camt053_{today:%Y-%m-%d}_{sequence:05}.xml",
    }
    _write(folder(world) / statement["file"], camt.render(world.settings.house, statement, due))
    for line in due:
        line["statement"] = statement["id"]
        world.put("bank_line", line)
    world.put("statement", statement)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".tmp")
    draft.write_bytes(content)
    draft.chmod(0o600)
    os.replace(draft, path)


def clear(world: World) -> None:
    for path in folder(world).glob("camt053_*.xml"):
        path.unlink()
