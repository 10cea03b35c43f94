"""`python -m jobs.providers.stripe.simulator`: runs until SIGTERM or SIGINT. Sandbox only."""

import signal
import sys
import threading

from config import Settings
from jobs.providers.stripe.simulator import bank, payments, payouts
from jobs.providers.stripe.simulator.server import servers
from jobs.providers.stripe.simulator.webhooks import Deliverer
from jobs.providers.stripe.simulator.world import Act, World, WorldSettings

ACTS: dict[str, Act] = {
    "settle_debit": payments.settle_debit,
    "return_debit": payments.return_debit,
    "settle_refund": payments.settle_refund,
    "fail_refund": payments.fail_refund,
    "run_payout": payouts.run_payout,
    "write_statement": bank.write_statement,
}


def main() -> int:
    settings = Settings.from_env()
    if not settings.sandbox:
        print("The simulator runs in sandbox mode only.", file=sys.stderr)
        return 2
    world = World(
        WorldSettings(
            var=settings.var,
            house=settings.house,
            api_key=settings.stripe_api_key,
            webhook_secret=settings.stripe_webhook_secret,
            hook_url=settings.hook_url,
        ),
        ACTS,
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    deliverer = Deliverer(world)
    listening = servers(world, settings.stripe_api_base, settings.simulator_control)
    for server in listening:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    deliverer.start()
    print(f"Stripe simulator: {settings.stripe_api_base}, {settings.simulator_control}", flush=True)
    stop.wait()
    for server in listening:
        server.shutdown()
        server.server_close()
    deliverer.stop()
    with world.lock:
        world.store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
