"""Every day at 18:00 Stripe pays out what is available, if that is more than nothing; else the
items wait for the next day. The bank books it the next TARGET day."""

from domain.kernel.time import berlin, berlin_date, next_target_day
from jobs.providers.stripe.simulator import bank, bookings
from jobs.providers.stripe.simulator.store import Json
from jobs.providers.stripe.simulator.world import STATEMENT_HOUR, World


def run_payout(world: World, _action: Json) -> None:
    items = [one for one in world.store.all("balance_transaction") if one["_payout"] is None]
    net = sum(one["net"] for one in items)
    if net <= 0:
        return
    arrival = berlin(next_target_day(berlin_date(world.now)), STATEMENT_HOUR)
    payout = bookings.payout(world, net, len(items), arrival)
    own = bookings.balance_transaction(world, "payout", "payout", payout, -net)
    payout["balance_transaction"] = own["id"]
    world.put("payout", payout)
    for item in [*items, own]:
        item["_payout"] = payout["id"]
        world.put("balance_transaction", item)
    bank.receive_payout(world, payout)
    for event_type in ("created", "paid", "reconciliation_completed"):
        world.emit(f"payout.{event_type}", payout)
