"""The web app's way to the domain: one Dispatcher per app, which wakes the follower by Valkey."""

from typing import cast

from flask import current_app, request

from config import Settings
from domain.dispatch import Dispatcher, open_dispatcher


def open_kontor(settings: Settings) -> Dispatcher:
    """Its database is proved to be ours when it is used first (`installation.prove`)."""
    return open_dispatcher(
        settings.database_url, settings.kek, settings.redis_url, mode=settings.mode
    )


def prove_ours() -> None:
    """Before a request is thought of. Raises InstallationRefused; while the database is away the
    page itself says so; the machines' addresses, and what that page is drawn with, answer either
    way."""
    if request.endpoint not in ("health.livez", "health.readyz", "static"):
        kontor().database.proved()


def kontor() -> Dispatcher:
    return cast(Dispatcher, current_app.extensions["kontor"])
