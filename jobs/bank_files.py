"""The bank's folder: statements in it are taken in by the door an upload uses. What cannot be read
there is set aside with its reason, and is no obstacle to the rest."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from domain.kernel.message import Refused
from domain.observing.errors import kept
from domain.operating import receive_statement
from domain.operating.watch import BANK
from domain.stream.entries import hold_entries
from jobs.context import Context
from jobs.runs.statement import BYTES_MAX

LOOK_S = 5.0
"""A file is taken when it stood still from one look to the next; slow copies pause for seconds."""
NAME_MAX = 120
"""Shown of a file's name; file systems allow twice as much."""

Look = tuple[int, int, int]
"""Which file it is, its size and when it was changed."""


class BankFiles:
    """Remembers what it saw and what it took. A file that changes afterwards is another one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, Look] | None = None
        self._taken: dict[str, Look] = {}
        # None: what an earlier process set aside may be gone by now.
        self._odd: dict[str, str] | None = None

    def __call__(self, context: Context) -> int:
        """One look; how many files were new."""
        fresh = 0
        seen = self._seen or {}
        looks: dict[str, Look] = {}
        odd: dict[str, str] = {}
        for path in sorted(self._folder.glob("*.xml")):
            try:
                look = looks[path.name] = _look(path)
                stands = look == seen.get(path.name)
                body = _read(path) if stands and look != self._taken.get(path.name) else None
            except FileNotFoundError:
                continue  # moved away meanwhile
            except (Refused, OSError) as error:
                odd[_shown(path)] = kept(_why(path, error))
                continue
            if body is not None:
                known = receive_statement(context.dispatcher, _shown(path), body)
                fresh += known is None
                self._taken[path.name] = look
        if self._seen is not None:  # the first look reads nothing: it cannot know what is odd
            self._set_aside(context, odd)
        self._seen = looks
        self._taken = {name: look for name, look in self._taken.items() if name in looks}
        return fresh

    def at_once(self, context: Context) -> int:
        """For the sandbox, whose bank puts whole files there: time stands still between looks."""
        return self(context) + self(context)

    def _set_aside(self, context: Context, odd: dict[str, str]) -> None:
        if odd == self._odd:
            return
        with context.dispatcher.read() as connection:
            hold_entries(connection, BANK, odd)
        self._odd = odd


def _look(path: Path) -> Look:
    """Raises Refused for what is no file to read, OSError for what cannot be looked at."""
    try:
        found = path.stat()
    except FileNotFoundError:
        path.lstat()  # a link that leads nowhere is there all the same
        raise Refused(
            "%(file)s in the bank's folder is a link that leads nowhere.", file=_shown(path)
        ) from None
    if not stat.S_ISREG(found.st_mode):
        raise Refused("%(file)s in the bank's folder is no file.", file=_shown(path))
    if found.st_size > BYTES_MAX:
        raise _too_large(path)
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: Path) -> bytes:
    """No more than is allowed, even if it grows while it is read."""
    with path.open("rb") as file:
        body = file.read(BYTES_MAX + 1)
    if len(body) > BYTES_MAX:
        raise _too_large(path)
    return body


def _too_large(path: Path) -> Refused:
    return Refused(
        "%(file)s in the bank's folder has more than %(limit)d bytes.",
        file=_shown(path),
        limit=BYTES_MAX,
    )


def _why(path: Path, error: Refused | OSError) -> Refused:
    if isinstance(error, Refused):
        return error
    return Refused(
        "%(file)s in the bank's folder cannot be read: %(reason)s.",
        file=_shown(path),
        reason=error.strerror or type(error).__name__,
    )


def _shown(path: Path) -> str:
    """A name may be any bytes; on a screen and in the inbox it is text."""
    text = os.fsencode(path.name).decode(errors="replace")
    return "".join(letter if letter.isprintable() else "�" for letter in text)[:NAME_MAX]
