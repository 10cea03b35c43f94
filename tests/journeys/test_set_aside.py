"""What cannot be digested is set aside with a case, everything else goes on, and a person sets it
going again: a reader that stumbles over a stream, a worker that cannot store its PDF."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from domain.kernel.ids import derive
from domain.operating import effect_case, health, release_effect, release_stream, stream_case
from domain.payments.events import Reason
from domain.payments.refund import Status
from domain.work.case import Status as CaseStatus
from tests.journeys.acts import refund
from tests.journeys.town import Town
from tests.journeys.world import World

PEOPLE = 3
BY = "staff:otto"


@contextmanager
def _stumbling(world: World, table: str, condition: str) -> Iterator[None]:
    """The table refuses every new row that does not meet the condition."""
    with world.kontor.read() as connection:
        add = f"ALTER TABLE {table} ADD CONSTRAINT stumble CHECK ({condition}) NOT VALID"
        connection.execute(add.encode())
    try:
        yield
    finally:
        with world.kontor.read() as connection:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT stumble".encode())


def test_a_stream_that_a_reader_stumbles_over(town: Town) -> None:
    world = town.world
    with _stumbling(world, "read.refund", "amount <> 1234"):
        refund_id = refund(world, town.someone(), 12_34)
        other = refund(world, town.someone(), 10_00)
    assert world.state(refund_id).status is Status.ACCEPTED  # The money does not wait for a screen.
    assert world.rows("SELECT refund_id FROM read.refund WHERE refund_id = %s", other)
    parked = [one for one in health(world.kontor).parked_streams if one.stream == refund_id]
    assert parked
    # PostgreSQL repeats the row that offends: with the customer's name, in `read.refund`.
    assert all(one.error.startswith("psycopg.errors.CheckViolation (stumble)") for one in parked)
    assert all(world.state(stream_case(one)).status is CaseStatus.OPEN for one in parked)
    for one in parked:
        assert release_stream(world.kontor, one.consumer, one.stream, BY)
        assert not release_stream(world.kontor, one.consumer, one.stream, BY)
        assert world.state(stream_case(one)).status is CaseStatus.CLOSED
    world.settle()
    assert world.rows("SELECT refund_id FROM read.refund WHERE refund_id = %s", refund_id)


def test_an_effect_that_fails_for_a_reason_nobody_thought_of(town: Town) -> None:
    world = town.world
    with _stumbling(world, "document_file", "false"):
        refund_id = refund(world, town.someone(), 7_00, Reason.PREMIUM_REDUCTION)
    correction = derive("inv", refund_id, "correction", refund_id)
    assert world.told(correction) == ["correction-issued"]
    (parked,) = health(world.kontor).parked_effects
    assert "CheckViolation" in parked.error
    assert "at domain.stream.files:" in parked.error
    assert world.state(effect_case(parked)).status is CaseStatus.OPEN
    effect_id: UUID = parked.effect_id
    assert release_effect(world.kontor, effect_id, BY)
    assert not release_effect(world.kontor, effect_id, BY)
    world.settle()
    assert world.state(effect_case(parked)).status is CaseStatus.CLOSED
    assert world.told(correction)[1:] == ["document-rendered", "document-delivered"]
