"""Counts what a page asks the database, besides its session and the count in its navigation."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import Engine

from domain.readmodels.work_queries import WAITING
from domain.stream.database import Connection


@contextmanager
def asked() -> Iterator[list[str]]:
    """The statements of the domain and of the web app while a page is made."""
    sent: list[str] = []
    execute, here = Connection.execute, threading.get_ident()

    def counting(self: Connection, query, *args, **kwargs):  # type: ignore[no-untyped-def]
        # The follower of the test asks in its own thread; an empty statement is the pool's ping.
        if query and query != WAITING and threading.get_ident() == here:
            sent.append(str(query))
        return execute(self, query, *args, **kwargs)

    def told(_conn, _cursor, statement, *_rest: object) -> None:  # type: ignore[no-untyped-def]
        if "staff_session" not in statement and threading.get_ident() == here:
            sent.append(statement)

    Connection.execute = counting  # type: ignore[method-assign]
    event.listen(Engine, "before_cursor_execute", told)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", told)
        Connection.execute = execute  # type: ignore[method-assign]
