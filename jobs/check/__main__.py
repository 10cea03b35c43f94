"""`./run check`: asks every question, names what is broken, exits 1 when anything is."""

import sys
import time
from collections.abc import Callable, Iterator

from psycopg import IsolationLevel

from config import Settings
from domain.observing.errors import kept
from domain.stream import observed
from domain.stream.database import Connection, connect
from jobs.check import balance, documents, edge, money, privacy, stream
from jobs.check.broken import Broken
from jobs.supervisor import with_servers

Check = Callable[[Connection, Settings], Iterator[Broken]]

CHECKS: tuple[tuple[str, str, Check], ...] = (
    ("2", "balances add up", lambda c, _: balance.adds_up(c)),
    ("2", "balances are what the receivables say", lambda c, _: balance.agrees(c)),
    ("4", "refunds never exceed what came in", lambda c, _: money.reservations(c)),
    ("4", "what left us twice is a recovery", lambda c, _: money.recoveries(c)),
    ("12-14", "versions and positions have no gaps", lambda c, _: stream.positions(c)),
    ("13-14", "flows owe no command", lambda c, _: stream.flows(c)),
    ("15", "read models equal their rebuild", lambda c, _: stream.rebuilt(c)),
    ("20", "every notification ends", lambda c, _: edge.notifications(c)),
    ("25", "numbers have no gaps", lambda c, _: documents.numbers(c)),
    ("25-26", "documents are what was issued", documents.issued),
    ("28", "maker is not checker", lambda c, _: money.approvals(c)),
    ("34", "no effect is forgotten", lambda c, _: edge.jobs(c)),
    ("-", "personal data is sealed", lambda c, _: privacy.personal_data(c)),
)


def run_checks(settings: Settings) -> Iterator[tuple[str, str, list[Broken], float]]:
    """(invariant, what it says, violations, seconds) for each question. Each sees one moment of
    the database, which goes on meanwhile."""
    with connect(settings.database_url, settings.kek) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        for invariant, says, check in CHECKS:
            started = time.monotonic()
            broken = _answer(invariant, connection, check(connection, settings))
            yield invariant, says, broken, time.monotonic() - started


def _answer(invariant: str, connection: Connection, found: Iterator[Broken]) -> list[Broken]:
    """A question that cannot even be asked to its end is a violation, too."""
    broken = []
    try:
        with connection.transaction(force_rollback=True):
            for one in found:
                broken.append(one)
    except Exception as error:  # noqa: BLE001  # tampered data may fail in any way; it is told
        what = f"the check ended with {kept(error)}"
        broken.append(Broken(invariant=invariant, subject="-", what=what))
    return broken


def main() -> int:
    violations = 0
    found: dict[str, int] = {}
    with with_servers():
        settings = Settings.from_env()
        for invariant, says, broken, seconds in run_checks(settings):
            found[says] = len(broken)
            mark = "broken" if broken else "holds"
            print(f"{mark:<7} {invariant:<6} {says} ({seconds:.2f} s)")
            for one in broken:
                print(f"        {one.invariant}: {one.subject}: {one.what}")
            violations += len(broken)
        with connect(settings.database_url, settings.kek) as connection:
            observed.observe(connection, observed.CHECK, found)
    print(f"{violations} violations" if violations else "all invariants hold")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
