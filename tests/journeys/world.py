"""A whole Kontor for one journey: real database, Valkey, simulator process, webhooks over a real
socket and PDFs. The follower, the workers and the ticker run in the test's own thread, so that a
journey goes on exactly when it is told to."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from werkzeug.serving import WSGIRequestHandler, make_server

from config import ROOT, Settings
from domain.deciding import CODEC
from domain.dispatch import Dispatcher, Result
from domain.kernel.ids import on_shard, read_id, shard_of, write_id
from domain.kernel.message import Command, Event
from domain.kernel.time import berlin
from domain.operating import raise_cases
from domain.stream import clock, effects, store
from jobs import effects as work
from jobs.advance import Chores, Sandbox, advance, settle
from jobs.bank_files import BankFiles
from jobs.context import Context, open_context
from jobs.control import Control, ControlError
from jobs.documents.render import preload, to_pdf
from jobs.follow import Follower
from jobs.ticker import Poll, fire_timers
from tests.servers import environment
from webapp import create_app

START = berlin(date(2026, 12, 10), 8, 30)
READY_S = 20
AT_ONCE = 1_000


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """The test says what matters."""


class World:
    """`by` of commands is free text here: who may what is the web app's business."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.context: Context = open_context(settings)
        self.kontor: Dispatcher = self.context.dispatcher
        self.control = Control(settings.simulator_control)
        self.follower = Follower(self.kontor)
        self.poll, self.bank = Poll(), BankFiles(settings.var / "bank")
        self.polling = False  # Webhooks tell everything, unless a journey loses them.
        self.reading_bank = True
        self.sandbox = Sandbox(
            dispatcher=self.kontor,
            control=self.control,
            chores=Chores(fire=self.work, sweep=self.sweep, look=self.look, tell=self.tell),
        )

    def work(self) -> None:
        """What the other processes would do by themselves: one round of it."""
        fire_timers(self.context)
        self.follower.catch_up()
        with self.kontor.read() as connection:
            due = effects.due(connection, clock.now(connection), AT_ONCE)
        for one in due:
            work.carry_out(self.context, one.effect_id)

    def sweep(self) -> None:
        """Nothing to ring: `work` does what is due."""

    def tell(self) -> int:
        return raise_cases(self.kontor)

    def look(self) -> int:
        found = self.bank.at_once(self.context) if self.reading_bank else 0
        return found + (self.poll(self.context) if self.polling else 0)

    def settle(self) -> None:
        settle(self.sandbox)

    def until(self, moment: datetime) -> None:
        """Moves the Clock there, due moment by due moment."""
        advance(self.sandbox, moment, lambda _steps: True)

    def send(self, command: Command, command_id: UUID | None = None) -> Result:
        return self.kontor.dispatch(command, command_id or uuid4())

    def do(self, command: Command, command_id: UUID | None = None) -> Result:
        """Dispatches what a person confirmed on a preview, and lets everything come to rest."""
        digest = self.kontor.preview(command).digest
        result = self.kontor.dispatch(command, command_id or uuid4(), previewed=digest)
        self.settle()
        return result

    def act(self, act: str, **order: object) -> None:
        """Something happens at Stripe or at the bank (see ACTS of the control port)."""
        self.control.ask("POST", "/act", {"act": act, **order})
        self.settle()

    def faults(self, **faults: object) -> None:
        """Replaces the whole fault set; without arguments everything goes well again."""
        self.control.ask("PUT", "/faults", faults)

    def state(self, stream: str) -> Any:
        return self.kontor.state(stream)

    def events(self, stream: str) -> list[Event]:
        with self.kontor.read() as connection:
            return store.load(connection, CODEC, [stream])[stream].events

    def told(self, stream: str) -> list[str]:
        """The wire names of a stream's events, in order."""
        return [event.wire() for event in self.events(stream)]

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.kontor.read() as connection:
            return connection.execute(query.encode(), values).fetchall()

    def book(self) -> dict[str, Any]:
        return self.control.ask("GET", "/book")


def new_id(prefix: str, near: str | None = None) -> str:
    """A random id, on the shard of `near`."""
    value = uuid4()
    return write_id(prefix, value if near is None else on_shard(value, shard_of(read_id(near))))


@contextmanager
def running_world(
    settings: Settings, start: datetime = START, kind: type[World] = World
) -> Iterator[World]:
    (settings.var / "bank").mkdir(parents=True, exist_ok=True)
    _warm_up()
    with running_simulator(settings) as control, serving_hooks(settings):
        world = kind(settings)
        try:
            control.ask("POST", "/seed", {"now": start.isoformat()})
            with world.kontor.read() as connection:
                clock.move(connection, start)
            world.follower.prepare()
            yield world
        finally:
            world.kontor.database.close()


@cache
def _warm_up() -> None:
    """One document here makes all others, which are rendered in forks of this process, fast."""
    preload()
    to_pdf('<html lang="de"><p>Once')


@contextmanager
def running_simulator(settings: Settings) -> Iterator[Control]:
    simulator = subprocess.Popen(
        [sys.executable, "-m", "jobs.providers.stripe.simulator"],
        cwd=ROOT,
        env=environment(settings),
        stdout=subprocess.DEVNULL,
    )
    control = Control(settings.simulator_control)
    try:
        _wait_for(control)
        yield control
    finally:
        control.close()
        simulator.terminate()
        simulator.wait(10)


@contextmanager
def serving_hooks(settings: Settings) -> Iterator[None]:
    """The web app on its port, in a thread."""
    server = make_server(
        settings.host,
        settings.port,
        create_app(settings),
        threaded=True,
        request_handler=_Quiet,
    )
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def _wait_for(control: Control) -> None:
    give_up = time.monotonic() + READY_S
    while True:
        try:
            control.ask("GET", "/health")
            return
        except ControlError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)
