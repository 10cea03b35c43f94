"""The demo insurer loads once, in Clock order, and moves on at the first press."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from config import ROOT, Settings
from domain.operating import advancing
from domain.stream import clock
from jobs.control import Control
from jobs.demo.__main__ import load
from jobs.demo.past import NOW
from tests.journeys.world import World, _wait_for, serving_hooks
from tests.servers import environment


@pytest.fixture
def control(settings: Settings) -> Iterator[Control]:
    simulator = subprocess.Popen(
        [sys.executable, "-m", "jobs.providers.stripe.simulator"],
        cwd=ROOT,
        env={**os.environ, **environment(settings)},
    )
    control = Control(settings.simulator_control)
    try:
        _wait_for(control)
        yield control
    finally:
        simulator.terminate()
        simulator.wait(10)


def test_the_demo_insurer_loads_once_and_moves_on_at_the_first_press(
    settings: Settings, control: Control
) -> None:
    world = World(settings)
    assert load(world.context, control)
    with world.kontor.read() as connection:
        assert clock.now(connection) == NOW
    assert not load(world.context, control)
    # Documents are looked at elsewhere.
    world.rows("UPDATE effect SET status = 'done' WHERE kind = 'render' RETURNING 1")
    with serving_hooks(settings):
        _press_once(world)


def _press_once(world: World) -> None:
    world.settle()
    ((before,),) = world.rows("SELECT last FROM feed_state")

    world.until(advancing.next_banking_day(NOW))
    happened = Counter(
        kind
        for (kind,) in world.rows(
            "SELECT type FROM feed JOIN event USING (shard, stream_id, version)"
            " WHERE feed_position > %s",
            before,
        )
    )
    assert happened["payment-returned"] == 2
    assert happened["payment-settled"] >= 1
    assert (happened["refund-expired"], happened["case-closed"]) == (1, 1)
    world.context.dispatcher.database.close()
