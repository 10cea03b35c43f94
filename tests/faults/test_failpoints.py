"""Every named failpoint kills a real process in the middle of a refund. It is started again without
it, and the story completes: money once, numbers gap-free, read models equal."""

import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pytest
import redis

from config import ROOT
from domain.kernel.ids import derive
from domain.kernel.time import berlin
from domain.payments.events import Reason
from domain.payments.refund import Status
from domain.stream.failpoints import FAILPOINTS
from tests.conftest import clone_of
from tests.faults.processes import PATIENCE_S, Processes, running_processes
from tests.journeys.acts import request
from tests.journeys.people import Insured, insure
from tests.journeys.proofs import prove
from tests.journeys.town import FIRST_REFUND_ON
from tests.servers import Servers, sandbox_settings


@dataclass(frozen=True)
class Kill:
    """`nth`: how often the place is passed before, so that the kill comes in the middle."""

    failpoint: str
    program: str
    nth: int = 1
    horse: bool = False

    def __str__(self) -> str:
        return f"{self.failpoint}-{self.nth}-{self.program}"


KILLS = (
    Kill("before-append", "effects"),  # Before the intent.
    Kill("before-append", "effects", nth=2),  # Stripe has done it; the answer is not recorded.
    Kill("before-append", "follower"),  # Before a flow's command.
    Kill("append-to-ring", "follower"),
    Kill("claim-to-call", "effects"),
    Kill("sent-answer-unread", "effects"),
    Kill("answer-to-commit", "effects"),
    Kill("mid-projection", "follower", nth=2),  # In the transaction of the first read model.
    Kill("number-allocated", "follower"),
    Kill("pdf-stored-not-recorded", "documents", horse=True),
)


@pytest.fixture(scope="module")
def _kontor(
    servers: Servers, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Processes, Insured]]:
    with clone_of(servers, template_database) as url:
        settings = sandbox_settings(servers, url, tmp_path_factory.mktemp("kills"))
        with running_processes(settings) as world:
            insured = insure(world, first_due=date(2027, 1, 1))
            world.until(berlin(FIRST_REFUND_ON, 9))
            yield world, insured
            prove(world)


@pytest.fixture
def kontor(_kontor: tuple[Processes, Insured]) -> Iterator[tuple[Processes, Insured]]:
    yield _kontor
    prove(_kontor[0], documents=False)


@pytest.mark.parametrize("kill", KILLS, ids=str)
def test_killed_there_and_started_again(kontor: tuple[Processes, Insured], kill: Kill) -> None:
    world, insured = kontor
    command = request(insured, 5_00, Reason.PREMIUM_REDUCTION)
    world.stop(kill.program)
    world.send(command)
    victim = world.start(kill.program, f"{kill.failpoint}:{kill.nth}")
    if kill.horse:
        _wait_for_the_death_of_its_horse(world, kill.program)
        world.stop(kill.program, signal.SIGKILL)
    else:
        assert victim.wait(PATIENCE_S) == -signal.SIGKILL, world.logs[kill.program].read_text()
    world.start(kill.program)
    world.expire_leases()
    world.sweep()
    world.settle()
    _is_on_its_way(world, command.refund_id)


def test_valkey_is_emptied_in_the_middle(
    kontor: tuple[Processes, Insured], servers: Servers
) -> None:
    world, insured = kontor
    commands = [request(insured, 1_00, Reason.PREMIUM_REDUCTION) for _ in range(5)]
    world.stop("effects")  # So that rings lie in Valkey, and are lost with it.
    with redis.Redis.from_url(servers.valkey.url) as valkey:
        for command in commands:
            world.send(command)
            time.sleep(0.05)
            valkey.flushall()
        world.start("effects")
        valkey.flushall()
    world.settle()
    for command in commands:
        _is_on_its_way(world, command.refund_id)


def test_all_of_it_arrives(kontor: tuple[Processes, Insured]) -> None:
    world, insured = kontor
    world.until(berlin(date(2027, 1, 13), 12))
    payment = world.state(insured.payment())
    assert payment.refunds
    for refund_id in payment.refunds:
        assert world.state(refund_id).status is Status.CONFIRMED
    assert payment.refunded == sum(held.amount for held in payment.refunds.values())


def _is_on_its_way(world: Processes, refund_id: str) -> None:
    told = world.told(refund_id)
    assert [told[:2], told[2], told[-1]] == [
        ["refund-requested", "refund-approved"],
        "refund-submitted",
        "refund-accepted",
    ]
    assert len(told) == len(set(told))
    in_book = [
        one for one in world.book()["refund"] if one["metadata"].get("operation_id") == refund_id
    ]
    assert len(in_book) == 1
    correction = world.told(derive("inv", refund_id, "correction", refund_id))
    assert correction == ["correction-issued", "document-rendered", "document-delivered"]


def _wait_for_the_death_of_its_horse(world: Processes, program: str) -> None:
    """The worker outlives the fork that did the job."""
    give_up = time.monotonic() + PATIENCE_S
    while b"terminated unexpectedly" not in world.logs[program].read_bytes():
        assert time.monotonic() < give_up, world.logs[program].read_text()
        time.sleep(0.05)


def test_every_failpoint_is_killed_at_and_stands_in_the_code() -> None:
    reached = set()
    for folder in ("domain", "jobs", "webapp"):
        for path in (ROOT / folder).rglob("*.py"):
            reached |= set(re.findall(r'\breach\(\s*"([^"]+)"', path.read_text()))
    assert reached == set(FAILPOINTS)
    assert {kill.failpoint for kill in KILLS} == set(FAILPOINTS)
    assert len(set(FAILPOINTS)) == len(FAILPOINTS)
