"""The demo insurer loads once, in Clock order, and stands there without contradictions."""

import os
import subprocess
import sys

import pytest

from config import ROOT, Settings
from domain.stream import clock, sequencer, subscription
from jobs.context import open_context
from jobs.control import Control
from jobs.demo.__main__ import load
from jobs.demo.past import NOW
from tests.journeys.world import _wait_for
from tests.servers import environment


@pytest.fixture
def control(settings: Settings):
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


def test_the_demo_insurer_loads_once(settings: Settings, control: Control) -> None:
    context = open_context(settings)
    assert load(context, control)
    with context.dispatcher.read() as connection:
        assert clock.now(connection) == NOW
        events = sequencer.last_position(connection)
        open_cases = connection.execute(
            "SELECT data->>'case_type', count(*) FROM event WHERE type = 'case-opened'"
            " GROUP BY 1 ORDER BY 1"
        ).fetchall()
        settled = connection.execute(
            "SELECT count(*) FROM event WHERE type = 'payment-settled'"
        ).fetchone()
        parked = subscription.list_parked(connection)
    print(events, open_cases, settled, parked)
    assert not load(context, control)
    context.dispatcher.database.close()
