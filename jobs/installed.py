"""The first thing a program of ours does, whoever started it: it looks whether this is its
database, and ends with a sentence when it is not."""

import logging
from functools import partial

from config import Settings
from domain.stream import installation
from domain.stream.database import Database
from domain.stream.installation import InstallationRefused

log = logging.getLogger("kontor.installed")


def end_unless_ours(settings: Settings) -> None:
    """One that is merely away is proved at its first use. No pool is opened: its threads must not
    meet a fork."""
    prove = partial(installation.prove, mode=settings.mode)
    try:
        if not Database(settings.database_url, settings.kek, prove=prove).proved():
            log.warning("the database is away: it is looked at when it is used")
    except InstallationRefused as refused:
        raise SystemExit(str(refused)) from None
