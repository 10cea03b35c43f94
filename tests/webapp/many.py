"""A house with a few dozen of everything that lists show, made as the measurements make 100,000."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

from flask import Flask

from bench.people import PAYMENTS_PER_CUSTOMER, payouts, told
from domain.kernel.ids import HOUSE, derive
from domain.readmodels import settlement
from domain.readmodels.model import Rows
from domain.readmodels.registry import READMODELS
from domain.readmodels.settlement import LINE, STATEMENT, LineRow, StatementRow
from domain.stream.database import Connection
from tests.conftest import clone_of
from tests.servers import Servers, sandbox_settings
from webapp import create_app
from webapp.cli import add_demo_staff
from webapp.models import db

CUSTOMERS = 3
STATEMENTS = 24


@contextmanager
def crowded(servers: Servers, template: str, folder: Path) -> Iterator[Flask]:
    with clone_of(servers, template) as url:
        settings = sandbox_settings(servers, url, folder)
        app = create_app(settings)
        app.config["TESTING"] = True
        with app.app_context():
            add_demo_staff()
        kontor = app.extensions["kontor"]
        with kontor.read() as connection:
            for model in READMODELS:
                model.create_tables(connection)
            for number in range(CUSTOMERS):
                story = told(number)
                for model in READMODELS:
                    model.apply(connection, story)
            settlement.MODEL.apply(connection, payouts(CUSTOMERS * PAYMENTS_PER_CUSTOMER))
            _bank(connection)
            connection.execute("ANALYZE")
        yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        kontor.database.close()


def _bank(connection: Connection) -> None:
    """A statement for each of some days, with two lines of the same amount."""
    rows = Rows(connection)
    for number in range(STATEMENTS):
        day = date(2026, 1, 5) + timedelta(days=number // 2)
        statement = derive("st", HOUSE, number)
        rows.put(STATEMENT, _statement(statement, number, day))
        for line in (1, 2):
            rows.put(LINE, _line(statement, line, day))
    rows.flush()


def _statement(statement: str, number: int, day: date) -> StatementRow:
    return StatementRow(
        statement_id=statement,
        position=number + 1,
        account="DE02100100100006820101",
        bank_reference=f"S-{number:04d}",
        sequence=number,
        from_on=day,
        to_on=day,
        opening=0,
        closing=200_00,
        lines=2,
        file_hash=f"{number}",
        imported_at=datetime.fromisoformat(f"{day}T20:00:00+00:00"),
    )


def _line(statement: str, number: int, day: date) -> LineRow:
    return LineRow(
        line_id=derive("ln", HOUSE, statement, number),
        statement_id=statement,
        number=number,
        amount=100_00,
        booked_on=day,
        value_on=day,
        end_to_end_id="STRIPE",
        bank_reference=None,
        counterparty="Stripe Technology",
        remittance=None,
        words=("stripe", "technology"),
        sorted_name="stripe technology",
    )
