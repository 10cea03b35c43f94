"""The web app's way to the domain: one Dispatcher per app, which wakes the follower by Valkey."""

from typing import cast

from flask import current_app

from config import Settings
from domain.dispatch import Dispatcher, open_dispatcher


def open_kontor(settings: Settings) -> Dispatcher:
    return open_dispatcher(settings.database_url, settings.kek, settings.redis_url)


def kontor() -> Dispatcher:
    return cast(Dispatcher, current_app.extensions["kontor"])
