"""100,000 payments with documents, refunds, payouts, cases. Events of 10,000 are projected by the
read models into their own tables; their rows are copied nine times under other ids, on other days,
with other amounts. Nothing is recorded in the stream: that would take hours."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping, Sequence

from psycopg import sql

from bench.people import FIRST_POSITION, PAYMENTS_PER_CUSTOMER, payouts, told
from config import Settings
from domain.readmodels import invoices, payments, refunds, search, settlement, stream, work
from domain.readmodels.model import LIVE, ReadModel
from domain.stream.database import Connection, connect

CUSTOMERS_PER_BATCH = 50
COPIES = 9
IN_STREAM_EVERY = 2
"""Of so many customers one has its events in the stream's own list, too."""
MODELS: tuple[ReadModel, ...] = (payments.MODEL, refunds.MODEL, invoices.MODEL, search.MODEL)
FEWER: tuple[ReadModel, ...] = (stream.MODEL, work.MODEL)
INDEXES = (
    "SELECT indexdef, indexname FROM pg_indexes WHERE schemaname = %s AND indexdef !~ 'UNIQUE'"
)
_LETTERS = "'0123456789abcdefghjkmnpqrstvwxyz'"


def _id(column: str) -> str:
    """Another id of the same kind: one letter of its middle says which copy it is."""
    at = f"length({column}) - 9"
    place = f"strpos({_LETTERS}, substr({column}, {at}, 1))"
    letter = f"substr({_LETTERS}, (n + {place} - 1) %% 32 + 1, 1)"
    return f"overlay({column} placing {letter} from {at} for 1)"


_NUMBER = "left(number, 9) || lpad((right(number, 6)::int + n * 1000000)::text, 8, '0')"
_SHIFT = "n * interval '3 days 1 minute'"
_POSITION = "n * 100000000"
COPIED: dict[str, dict[str, str]] = {
    "payment": {
        "payment_id": _id("payment_id"),
        "debit_on": "debit_on + n * 3",
        "amount": "amount + n * 110",
        "confirmed_at": f"confirmed_at + {_SHIFT}",
        "paid_out_at": f"paid_out_at + {_SHIFT}",
        "settled_at": f"settled_at + {_SHIFT}",
        "reference": "reference || n",
        "where": "contract_number LIKE 'MANY-%%'",
    },
    "refund": {
        "refund_id": _id("refund_id"),
        "payment_id": _id("payment_id"),
        "position": f"position + {_POSITION}",
        "amount": "amount + n * 55",
        "where": f"position > {FIRST_POSITION}",
    },
    "invoices_document": {
        "document_id": _id("document_id"),
        "payment_id": _id("payment_id"),
        "number": _NUMBER,
        "issued_on": "issued_on + n * 3",
        "gross": "gross + n * 110",
        "where": "contract_number LIKE 'MANY-%%'",
    },
    "search": {
        "thing": _id("thing"),
        "amount": "amount + n * 110",
        "where": "kind IN ('payment', 'invoice', 'refund') AND customer_id IN"
        " (SELECT customer_id FROM read.payment WHERE contract_number LIKE 'MANY-%%')",
    },
    "stream_event": {
        "feed_position": f"feed_position + {_POSITION}",
        "event_id": "'copy-' || n || event_id",
        "cause_id": "'copy-' || n || cause_id",
        "command_id": "'copy-' || n || command_id",
        "stream": _id("stream"),
        "at": f"at + {_SHIFT}",
        "where": f"feed_position > {FIRST_POSITION}",
    },
    "work_case": {
        "case_id": _id("case_id"),
        "subject": _id("subject"),
        "closed_position": f"closed_position + {_POSITION}",
        "where": 'details @> \'{"many": "yes"}\'',
    },
}
"""Table -> column -> what it is in copy `n`; the other columns stay as they are."""


def fill(settings: Settings, count: int, processes: int = 2) -> None:
    """`count` payments more in the live tables. Indexes are taken away meanwhile and made anew by
    their own definitions: the tables end as if everything had been followed."""
    with connect(settings.database_url, settings.kek) as connection:
        found = connection.execute(INDEXES, (LIVE,)).fetchall()
        for _definition, name in found:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(LIVE, name)))
        settlement.MODEL.apply(connection, payouts(count))
        _project(settings, count // (COPIES + 1), processes)
        connection.execute("SET synchronous_commit = off")
        for table, fresh in COPIED.items():
            connection.execute(_copy(connection, table, fresh), {"copies": COPIES})
        for definition, _name in found:
            connection.execute(definition.encode())
        connection.execute("ANALYZE")


def _copy(connection: Connection, table: str, fresh: Mapping[str, str]) -> bytes:
    columns = connection.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
        (LIVE, table),
    )
    values = ", ".join(fresh.get(name, name) for (name,) in columns)
    return (
        f"INSERT INTO {LIVE}.{table} SELECT {values}"  # noqa: S608 constants of this file only
        f" FROM {LIVE}.{table}, generate_series(1, %(copies)s) n WHERE {fresh['where']}"
    ).encode()


def _project(settings: Settings, count: int, processes: int) -> None:
    context = multiprocessing.get_context("fork")
    customers = range(count // PAYMENTS_PER_CUSTOMER)
    workers = [
        context.Process(target=_part, args=(settings, customers[n::processes]), daemon=True)
        for n in range(processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0


def _part(settings: Settings, customers: Sequence[int]) -> None:
    with connect(settings.database_url, settings.kek) as connection:
        connection.execute("SET synchronous_commit = off")
        for start in range(0, len(customers), CUSTOMERS_PER_BATCH):
            batch = {number: told(number) for number in customers[start:][:CUSTOMERS_PER_BATCH]}
            everything = [one for events in batch.values() for one in events]
            some = [
                one
                for number, events in batch.items()
                if number % IN_STREAM_EVERY == 0
                for one in events
            ]
            for models, events in ((MODELS, everything), (FEWER, some)):
                for model in models:
                    model.apply(connection, events)
