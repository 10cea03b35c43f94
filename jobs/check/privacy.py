"""No personal datum stands outside `sealed` and the read models: what we know of every customer is
looked for in every readable column of every durable table."""

import re
from collections.abc import Iterator

from psycopg import sql

from domain.customers.events import CustomerRegistered
from domain.payments.events import MandateRegistered
from domain.stream.database import Connection
from jobs.check.broken import Broken, streams_with

VALUES_AT_ONCE = 400
SHORTEST = 5
"""Shorter words stand in other texts by chance."""
_READABLE = ("text", "character varying", "jsonb", "json")


def personal_data(connection: Connection) -> Iterator[Broken]:
    values = sorted(_values(connection))
    for table, column in _columns(connection):
        for start in range(0, len(values), VALUES_AT_ONCE):
            chunk = values[start : start + VALUES_AT_ONCE]
            pattern = re.compile("|".join(map(re.escape, chunk)))
            for where in _found(connection, table, column, pattern):
                yield Broken(
                    invariant="personal data",
                    subject=f"{table}.{column}",
                    what=f"it holds a customer's datum in clear ({where})",
                )


def _values(connection: Connection) -> set[str]:
    """Names, streets, e-mail addresses and IBANs as they stand in clear while decided."""
    found: set[str | None] = set()
    for _, events in streams_with(connection, "customer-registered", "cus"):
        for event in events:
            if isinstance(event, CustomerRegistered):
                found |= {event.name, event.street, event.email}
    for _, events in streams_with(connection, "mandate-registered", "man"):
        for event in events:
            if isinstance(event, MandateRegistered):
                found.add(event.iban)
    return {value for value in found if value and len(value) >= SHORTEST}


def _columns(connection: Connection) -> list[tuple[str, str]]:
    """Durable tables only; who works here stands in `staff` by name."""
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name NOT LIKE 'staff%%'"
        " AND data_type = ANY(%s) ORDER BY 1, 2",
        (list(_READABLE),),
    ).fetchall()
    return [(str(table), str(column)) for table, column in rows]


def _found(
    connection: Connection, table: str, column: str, pattern: re.Pattern[str]
) -> Iterator[str]:
    query = sql.SQL("SELECT ctid::text, {}::text FROM {}").format(
        sql.Identifier(column), sql.Identifier(table)
    )
    for where, text in connection.execute(query):
        if text and pattern.search(text):
            yield f"row {where}"
