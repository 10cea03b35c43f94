"""The bank's folder: whatever lies in it, the statements in it are read, and a person is told of
the rest once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import Settings
from domain.operating import health, notification_case, raise_cases, translate_again
from domain.work.case import Case, Status
from jobs import effects
from jobs.bank_files import BankFiles
from jobs.context import Context, open_context
from jobs.follow import Follower
from jobs.runs.statement import BYTES_MAX


class Room:
    """The folder, who looks at it, and what the inbox holds of it."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.var / "bank"
        self.folder.mkdir(parents=True)
        self.context: Context = open_context(settings)
        self.follower = Follower(self.context.dispatcher)
        self.follower.prepare()
        self.files = BankFiles(self.folder)

    def look(self) -> int:
        fresh = self.files(self.context)
        raise_cases(self.context.dispatcher)
        self.follower.catch_up()
        return fresh

    def held(self) -> list[str]:
        return [one.reason for one in health(self.context.dispatcher).quarantined]

    def cases(self) -> dict[Status, int]:
        with self.context.dispatcher.read() as connection:
            rows = connection.execute(
                "SELECT DISTINCT stream FROM read.stream_event WHERE type = 'case-opened'"
            ).fetchall()
        states = [self.context.dispatcher.state(stream) for (stream,) in rows]
        found = [state.status for state in states if isinstance(state, Case)]
        return {status: found.count(status) for status in found}


@pytest.fixture
def room(settings: Settings) -> Iterator[Room]:
    room = Room(settings)
    yield room
    room.context.dispatcher.database.close()


def too_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(BYTES_MAX + 1)


ODD: dict[str, tuple[Callable[[Path], None], str]] = {
    "a folder": (lambda path: path.mkdir(), "is no file"),
    "a pipe": (os.mkfifo, "is no file"),
    "a dangling link": (lambda path: path.symlink_to("nowhere"), "leads nowhere"),
    "a circle": (lambda path: path.symlink_to(path), "cannot be read"),
    "unreadable": (lambda path: path.symlink_to("/proc/self/mem"), "cannot be read"),
    "too large": (too_large, "has more than 50000000 bytes"),
}


def test_odd_entries_are_held_once_and_the_rest_is_read(room: Room) -> None:
    for number, (make, _says) in enumerate(ODD.values()):
        make(room.folder / f"a{number}.xml")
    odd_name = os.fsdecode(b"b\xff\n.xml")
    (room.folder / odd_name).write_bytes(b"a name of any bytes")
    (room.folder / "c.xml").write_bytes(b"a statement")
    assert [room.look(), room.look(), room.look()] == [0, 2, 0]
    held = room.held()
    assert len(held) == len(ODD), held
    for number, (_make, says) in enumerate(ODD.values()):
        assert [why for why in held if f"a{number}.xml" in why and says in why], (says, held)
    assert room.cases() == {Status.OPEN: len(ODD)}

    room.files = BankFiles(room.folder)  # after a new start
    room.look()
    room.look()
    assert (len(room.held()), room.cases()) == (len(ODD), {Status.OPEN: len(ODD)})


def test_what_was_held_is_let_go_when_it_goes_and_held_again_when_it_comes_back(
    room: Room,
) -> None:
    odd = room.folder / "x.xml"
    odd.mkdir()
    room.look()
    room.look()
    (first,) = health(room.context.dispatcher).quarantined
    assert translate_again(room.context.dispatcher, "bank", first.notification_id, "staff:otto")
    with room.context.dispatcher.read() as connection:
        ((effect_id,),) = connection.execute("SELECT effect_id FROM effect").fetchall()
    effects.carry_out(room.context, effect_id)
    assert room.held(), "nothing changed: it still lies there"
    odd.rmdir()
    room.files = BankFiles(room.folder)  # after a new start
    room.look()
    room.look()
    assert room.held() == []
    odd.mkdir()
    room.look()
    (again,) = health(room.context.dispatcher).quarantined
    assert notification_case(again) != notification_case(first), "another occasion"


def test_a_file_is_taken_when_it_stands_still_and_again_when_it_changes(room: Room) -> None:
    path = room.folder / "slow.xml"
    path.write_bytes(b"<half")
    assert room.look() == 0
    path.write_bytes(b"<half of it/>")
    assert room.look() == 0, "it grew"
    assert room.look() == 1
    path.write_bytes(b"<half of it/><and the rest/>")
    assert [room.look(), room.look(), room.look()] == [0, 1, 0]
    with room.context.dispatcher.read() as connection:
        assert connection.execute("SELECT count(*) FROM inbox").fetchone() == (2,)
