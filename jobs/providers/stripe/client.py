"""Makes the official client with Kontor's budget: short timeouts, no retries of its own (with the
defaults one lost answer blocked a worker for four minutes). Who retries is decided elsewhere."""

from urllib.parse import urlsplit

import stripe

from config import LOOPBACK, Settings
from jobs.providers.stripe.capabilities import API_VERSION, CONNECT_SECONDS, READ_SECONDS

# Timings of our calls and the name of our machine are nobody's business.
stripe.enable_telemetry = False


def stripe_client(settings: Settings) -> stripe.StripeClient:
    base = settings.stripe_api_base
    # A proxy of the environment must not see what stays on this machine.
    direct = urlsplit(base).hostname in LOOPBACK
    http_client = stripe.RequestsClient(
        timeout=(CONNECT_SECONDS, READ_SECONDS),
        proxy={"http": "", "https": ""} if direct else None,
    )
    return stripe.StripeClient(
        settings.stripe_api_key,
        stripe_version=API_VERSION,
        base_addresses={"api": base, "files": base},
        max_network_retries=0,
        http_client=http_client,
    )
