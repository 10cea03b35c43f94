"""What every process of ours holds: settings, the dispatcher, Valkey and the provider adapters.
Made once per process, after a fork."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from redis import Redis

from config import Settings
from domain.dispatch import Dispatcher, open_dispatcher
from domain.stream import wake
from domain.stream.circuit import Pace
from jobs.circuit import Circuit
from jobs.gate import Open
from jobs.providers.stripe.adapter import StripeAdapter
from jobs.providers.stripe.capabilities import CALLS_PER_SECOND, PROBE_READ_SECONDS


@dataclass(frozen=True, slots=True)
class Context:
    settings: Settings
    dispatcher: Dispatcher
    redis: Redis
    stripe: StripeAdapter
    probes: Mapping[str, Callable[[], None]]
    """Provider -> a harmless question that passes an open circuit. Raises ProviderUnreachable."""


def open_context(settings: Settings, *, pool_size: int = 4) -> Context:
    """Its database is proved to be ours when it is used first (`installation.prove`)."""
    dispatcher = open_dispatcher(
        settings.database_url,
        settings.kek,
        settings.redis_url,
        mode=settings.mode,
        pool_size=pool_size,
    )
    gate = Circuit(dispatcher, "stripe", Pace(per_s=CALLS_PER_SECOND))
    probe = StripeAdapter.from_settings(settings, Open(), PROBE_READ_SECONDS)
    return Context(
        settings=settings,
        dispatcher=dispatcher,
        redis=wake.open_redis(settings.redis_url),
        stripe=StripeAdapter.from_settings(settings, gate),
        probes={"stripe": probe.ask_anything},
    )
