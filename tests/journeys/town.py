"""A Kontor in the middle of its life: customers whose premium is collected, settled and past the
days in which no refund is possible, and others who pay every week, so that payouts go on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from config import Settings
from domain.contracts.events import Cover
from domain.kernel.time import berlin, berlin_date
from tests.journeys.people import Insured, insure
from tests.journeys.world import World, running_world

START = berlin(date(2026, 12, 18), 8, 30)
DEBIT_ON = date(2027, 1, 4)
"""Due on 1 January, rolled over the weekend."""
FIRST_REFUND_ON = date(2027, 1, 12)
"""DEBIT_ON + 5 TARGET days is the 11th."""
PREMIUM = 1250_00
TWO_COVERS = (
    Cover(name="Hausrat", net_year=882_35, tax_rate_bp=1900),
    Cover(name="Glas", net_year=168_07, tax_rate_bp=1900),
)
"""1,050.00 and 200.00 gross: as 10.50 to 2.00 in STORY, "Money rules"."""

WEEKLY_PAYERS = 4
"""They pay monthly, one week after the other, and enough to make up for what is returned."""


@dataclass
class Town:
    world: World
    waiting: list[Insured] = field(default_factory=list)

    def someone(self) -> Insured:
        """A customer nobody else has: the premium is settled, nothing refunded."""
        return self.waiting.pop()

    def days(self, count: int, hour: int = 9) -> None:
        day = berlin_date(self.world.kontor.now()) + timedelta(days=count)
        self.world.until(berlin(day, hour))

    def until_status(self, stream: str, status: str) -> None:
        """Goes on by half days until the stream has come to this status."""
        for _ in range(40):
            now = self.world.kontor.now()
            hours = [at for n in (0, 1) for h in (12, 20) if (at := _hour(now, n, h)) > now]
            self.world.until(hours[0])
            if self.world.state(stream).status == status:
                return
        raise AssertionError(f"{stream} never was {status}: {self.world.told(stream)}")

    def new_customer(self, **terms: object) -> Insured:
        """Signed today; billed at once, collected in a good two weeks."""
        due = berlin_date(self.world.kontor.now()) + timedelta(days=15)
        insured = insure(self.world, first_due=due, **terms)  # type: ignore[arg-type]
        self.world.settle()
        return insured


def _hour(now: datetime, days: int, hour: int) -> datetime:
    return berlin(berlin_date(now) + timedelta(days=days), hour)


@contextmanager
def built_town(settings: Settings, people: int) -> Iterator[Town]:
    with running_world(settings, START) as world:
        town = Town(world)
        town.waiting = [insure(world, covers=TWO_COVERS) for _ in range(people)]
        for week in range(WEEKLY_PAYERS):
            first_due = DEBIT_ON + timedelta(weeks=week + 1)
            insure(
                world,
                name="Weekly Payer",
                net_year=36_000_00,
                first_due=first_due,
                per_year=12,
            )
        world.until(berlin(FIRST_REFUND_ON, 9))
        yield town
