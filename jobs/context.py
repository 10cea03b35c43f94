"""What every process of ours holds: settings, the dispatcher, Valkey and the provider adapters.
Made once per process, after a fork."""

from dataclasses import dataclass

from redis import Redis

from config import Settings
from domain.dispatch import Dispatcher, open_dispatcher
from domain.stream import wake
from jobs.providers.stripe.adapter import StripeAdapter


@dataclass(frozen=True, slots=True)
class Context:
    settings: Settings
    dispatcher: Dispatcher
    redis: Redis
    stripe: StripeAdapter


def open_context(settings: Settings, *, pool_size: int = 4) -> Context:
    return Context(
        settings=settings,
        dispatcher=open_dispatcher(
            settings.database_url, settings.kek, settings.redis_url, pool_size=pool_size
        ),
        redis=wake.open_redis(settings.redis_url),
        stripe=StripeAdapter.from_settings(settings),
    )
