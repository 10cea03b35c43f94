"""What an error says of people is kept nowhere: not in the tables, not in the logs. Its class and
its place are, and whatever we wrote ourselves."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import cast

import psycopg
import pytest

from config import Settings
from domain.deciding import CODEC
from domain.dispatch import Dispatcher
from domain.kernel.message import Recorded, Refused
from domain.kernel.money import Amount
from domain.observing.errors import CHARS_MAX, kept
from domain.observing.logs import Text
from domain.payments.ports import ProviderUnreachable
from domain.stream import clock, effects, subscription
from domain.stream.database import Connection, Database
from jobs import effects as workers
from jobs.check.privacy import personal_data
from jobs.context import Context
from tests.readmodels.kit import Following, Story

NAME, IBAN = "Nadia Brandt", "DE89370400440532013000"
CANARY = f"{NAME} of {IBAN} has no mandate"


@pytest.fixture
def kontor(settings: Settings) -> Iterator[Dispatcher]:
    database = Database(settings.database_url, settings.kek)
    yield Dispatcher(database)
    database.close()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that the logs of a process would say, by their own formatter."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Text("worker"))
    logging.getLogger().addHandler(handler)
    yield out
    logging.getLogger().removeHandler(handler)


class Stumbling:
    """A reader whose driver repeats the row it chokes on."""

    name, version = "stumbling", 1

    def apply(self, _connection: Connection, _batch: Sequence[Recorded]) -> None:
        raise ValueError(CANARY)


def _stumble(_context: Context, _claimed: effects.Claimed) -> None:
    raise psycopg.errors.UniqueViolation(CANARY)


def test_no_table_and_no_log_keeps_what_an_error_says_of_people(
    kontor: Dispatcher, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = Following(kontor)
    Story(kit, NAME)
    monkeypatch.setitem(workers.HANDLERS, "render", _stumble)
    with kontor.read() as connection:
        reader = Stumbling()
        subscription.prepare(connection, reader)
        subscription.advance(connection, CODEC, reader, 100)
        for due in effects.due(connection, clock.now(connection), 10):
            workers.carry_out(cast(Context, SimpleNamespace(dispatcher=kontor)), due.effect_id)
        streams = subscription.list_parked(connection)
        (effect,) = effects.list_parked(connection)
        with connection.transaction():
            told = list(personal_data(connection))
    assert {one.error.partition(":")[0] for one in streams} == {f"ValueError at {__name__}"}
    assert effect.error.startswith(f"psycopg.errors.UniqueViolation at {__name__}:")
    assert told == []
    assert "is parked" in log.getvalue()
    assert NAME not in log.getvalue()
    assert IBAN not in log.getvalue()


OURS = (
    (Refused("%(left)s are left.", left=Amount(5_00)), "5.00 EUR are left."),
    (Refused("Statement 20261102-00001 was imported."), "Statement 20261102-00001 was imported."),
    (ProviderUnreachable("card 4242 4242 4242 4242 is"), "ProviderUnreachable: card [number] is"),
    (ProviderUnreachable("no answer"), "ProviderUnreachable: no answer"),
    (ProviderUnreachable(f"no answer about {IBAN}"), "ProviderUnreachable: no answer about [acc"),
    (ProviderUnreachable("x" * 10_000), "ProviderUnreachable: xxxxx"),
)


@pytest.mark.parametrize(("error", "said"), OURS)
def test_what_we_wrote_is_kept(error: Exception, said: str) -> None:
    assert kept(error).startswith(said)
    assert len(kept(error)) <= CHARS_MAX
