"""One simulator process for this folder, emptied before each test, and a hook that listens."""

from collections.abc import Iterator

import pytest

from jobs.providers.stripe.adapter import StripeAdapter
from tests.jobs.providers import judge
from tests.jobs.providers.sandbox import CUSTOMER, START, Hook, Simulator, free_ports


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    simulator = Simulator(tmp_path_factory.mktemp("simulator"), free_ports())
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture
def sim(process: Simulator) -> Simulator:
    """An empty book at START, with one customer."""
    process.post("/reset")
    process.post("/seed", {"now": START, "customers": [CUSTOMER]})
    process.put("/faults", {"webhooks": {"lost": True}})
    return process


@pytest.fixture
def hook(sim: Simulator) -> Iterator[Hook]:
    """Webhooks are told from here on."""
    hook = Hook(sim.settings.port)
    sim.put("/faults", {})
    yield hook
    hook.stop()


@pytest.fixture
def judged() -> None:
    if not judge.available():
        pytest.skip("../shared/specs/stripe is absent")


@pytest.fixture
def stripe_adapter(sim: Simulator, judged: None) -> StripeAdapter:
    return sim.adapter()
