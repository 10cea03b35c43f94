"""A flow whose command is overtaken again and again: its stream is not the culprit and goes on."""

from __future__ import annotations

from uuid import uuid4

import pytest

from config import Settings
from domain.customers.commands import RegisterCustomer
from domain.dispatch import Dispatcher, TooManyConflicts
from domain.kernel.ids import write_id
from domain.kernel.message import Recorded
from domain.stream import subscription
from domain.stream.database import Connection, Database
from domain.stream.sequencer import tick
from domain.stream.store import append
from tests.stream.things import CODEC, batch, counted, new_stream, writes

# Somebody else's event is always there first.
_OVERTAKEN = """
CREATE FUNCTION overtaken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE unique_violation USING CONSTRAINT = 'event_pkey', TABLE = 'event'; END $$;
CREATE TRIGGER overtaken BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION overtaken();
"""


class Registering:
    """Answers every event by registering a customer."""

    name, version = "registering", 1

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self.customer = write_id("cus", uuid4())

    def send(self, recorded: Recorded) -> None:
        command = RegisterCustomer(
            by="test",
            customer_id=self.customer,
            number="K-1",
            kind="private",
            name="Nadia Brandt",
            street="Hafenstraße 3",
            postcode="20359",
            city="Hamburg",
            email="person@example.com",
        )
        self._dispatcher.dispatch(command, uuid4(), cause=recorded.event_id)


def test_a_flow_that_meets_too_many_conflicts_is_tried_again_and_parks_nothing(
    connection: Connection, settings: Settings
) -> None:
    database = Database(settings.database_url, settings.kek, pool_size=1)
    flow = Registering(Dispatcher(database))
    subscription.prepare(connection, flow)
    append(connection, batch(writes(new_stream(), [counted()])))
    tick(connection)
    connection.execute(_OVERTAKEN)
    with pytest.raises(TooManyConflicts) as overtaken:
        subscription.advance_outside(connection, CODEC, flow, 10)
    assert isinstance(overtaken.value, subscription.TRANSIENT)
    assert subscription.cursors(connection)[flow.name] == 0
    assert subscription.list_parked(connection) == []

    connection.execute("DROP TRIGGER overtaken ON event")
    assert subscription.advance_outside(connection, CODEC, flow, 10) == 1
    assert subscription.list_parked(connection) == []
    database.close()
