"""Who is insured at the demo insurer, with which plan, and what happens to them. Data alone."""

from datetime import date

from domain.contracts.events import Cover, Rounding
from domain.kernel.ids import derive, name_uuid, write_id
from domain.kernel.value import Value

NAMES = (
    "Nadia Brandt",
    "Otto Kraus",
    "Petra Lang",
    "Jonas Ott",
    "Ida Sommer",
    "Erik Voss",
    "Erna Wolf",
    "Leyla Yıldız",
    "Anton Becker",
    "Birgit Clausen",
    "Carsten Dreyer",
    "Dagmar Ehlers",
    "Emil Fischer",
    "Frieda Gehrke",
    "Georg Hansen",
    "Hanna Iversen",
    "Ingo Jessen",
    "Jule Köhler",
    "Klaus Lührs",
    "Lena Möller",
    "Malte Nissen",
    "Nora Oltmanns",
    "Ole Paulsen",
    "Paula Quast",
    "Ralf Rohde",
    "Sabine Schütt",
    "Timo Thomsen",
    "Ulla Uhlig",
    "Viktor Vollmer",
    "Wiebke Wulff",
    "Xaver Zander",
    "Yvonne Albers",
    "Zoe Böttcher",
    "Arne Carstens",
    "Beate Dierks",
    "Claas Eggers",
    "Feddersen Bootsbau GmbH",
    "Enno Gräf",
    "Silke Harms",
    "Werkstatt Petersen GmbH",
)
STREETS = ("Große Elbstraße", "Reeperbahn", "Hafenstraße", "Osterstraße", "Mühlenkamp", "Alsterweg")
TOWNS = (("22767", "Hamburg"), ("20359", "Hamburg"), ("23552", "Lübeck"), ("28195", "Bremen"))


class Plan(Value):
    product: str
    covers: tuple[Cover, ...]
    surcharge_bp: int
    rounding: Rounding


HOUSEHOLD = Plan(
    product="Hausrat Plus",
    covers=(Cover(name="Hausrat", net_year=184_80, tax_rate_bp=1615),),
    surcharge_bp=500,
    rounding=Rounding.INSTALMENT_FIRST,
)
LIABILITY = Plan(
    product="Privathaftpflicht",
    covers=(Cover(name="Privathaftpflicht", net_year=120_00, tax_rate_bp=1900),),
    surcharge_bp=500,
    rounding=Rounding.ANNUAL_FIRST,
)
BUILDING = Plan(
    product="Wohngebäude mit Glas",
    covers=(
        Cover(name="Wohngebäude", net_year=486_00, tax_rate_bp=1634),
        Cover(name="Glas", net_year=48_00, tax_rate_bp=1900),
    ),
    surcharge_bp=0,
    rounding=Rounding.INSTALMENT_FIRST,
)
BRANDT = Plan(
    product="Hausrat Komfort",
    covers=(Cover(name="Hausrat", net_year=1_332_72, tax_rate_bp=1615),),
    surcharge_bp=0,
    rounding=Rounding.INSTALMENT_FIRST,
)
BUSINESS = Plan(
    product="Betriebs-Sach",
    covers=(
        Cover(name="Feuer", net_year=1_200_00, tax_rate_bp=1320),
        Cover(name="Betriebseinrichtung", net_year=1_800_00, tax_rate_bp=1900),
    ),
    surcharge_bp=0,
    rounding=Rounding.INSTALMENT_FIRST,
)
PLANS = (HOUSEHOLD, LIABILITY, BUILDING)
FIRST_OF_MONTH, FIFTEENTH = date(2026, 10, 1), date(2026, 9, 15)
FOURTH = date(2026, 10, 4)
"""In December a debit of that day is confirmed and paid out on the day the demo begins."""
NEW_CONTRACT = date(2026, 12, 1)

SPECIAL: dict[str, tuple[date, dict[str, object]]] = {
    "Otto Kraus": (NEW_CONTRACT, {"fail": "insufficient_funds"}),
    "Erik Voss": (NEW_CONTRACT, {"return_reason": "account_closed", "return_after_days": 3}),
    "Petra Lang": (
        FIRST_OF_MONTH,
        {"return_reason": "customer_initiated", "return_after_days": 35},
    ),
    "Ida Sommer": (
        FIRST_OF_MONTH,
        {"refund_fail": "account_closed", "refund_fail_after_days": 3},
    ),
    "Sabine Schütt": (
        NEW_CONTRACT,
        {"return_reason": "insufficient_funds", "return_after_days": 5},
    ),
    "Beate Dierks": (
        NEW_CONTRACT,
        {"return_reason": "bank_cannot_process", "return_after_days": 5},
    ),
    "Werkstatt Petersen GmbH": (FOURTH, {}),
    "Jonas Ott": (NEW_CONTRACT, {}),
    "Silke Harms": (NEW_CONTRACT, {}),
}
"""Name -> first due date and what the simulator does with the account."""
UNPRINTABLE = Plan(
    product="Hausrat mit allen Bausteinen, Wertsachen, Fahrrad, Glas und Elementarschäden, " * 2,
    covers=HOUSEHOLD.covers,
    surcharge_bp=0,
    rounding=Rounding.INSTALMENT_FIRST,
)
"""Too long for paper: its document is parked and waits for a person."""
PLAN_OF: dict[str, Plan] = {
    "Nadia Brandt": BRANDT,
    "Silke Harms": UNPRINTABLE,
    "Feddersen Bootsbau GmbH": BUSINESS,
    "Werkstatt Petersen GmbH": BUSINESS,
}


class Person(Value):
    """One customer with one monthly contract; all ids follow from the name and number."""

    number: int
    name: str
    plan: Plan
    first_due: date
    behaviour: dict[str, object]

    @property
    def customer(self) -> str:
        return write_id("cus", name_uuid("demo", self.number, self.name))

    @property
    def contract(self) -> str:
        return derive("ct", self.customer, self.customer)

    @property
    def mandate(self) -> str:
        return derive("man", self.customer, self.customer)

    @property
    def provider_customer(self) -> str:
        return f"cus_demo{self.number:05d}"

    @property
    def provider_method(self) -> str:
        return f"pm_demo{self.number:05d}"

    @property
    def iban(self) -> str:
        """A fictional German account with the right check digits."""
        account = f"20070000{self.number:010d}"
        return f"DE{98 - int(account + '131400') % 97:02d}{account}"

    @property
    def address(self) -> tuple[str, str, str]:
        postcode, city = TOWNS[self.number % len(TOWNS)]
        return f"{STREETS[self.number % len(STREETS)]} {1 + self.number % 80}", postcode, city

    def payment(self, instalment: int) -> str:
        return derive("pay", self.customer, self.contract, instalment, 1)


def people(scale: int = 1) -> list[Person]:
    """Forty times `scale`; the stories happen once."""
    found = []
    for number in range(len(NAMES) * scale):
        name = NAMES[number % len(NAMES)]
        first_due = FIRST_OF_MONTH if number % 4 else FIFTEENTH
        behaviour: dict[str, object] = {}
        if number < len(NAMES):
            first_due, behaviour = SPECIAL.get(name, (first_due, {}))
        else:
            name = f"{name} {number // len(NAMES) + 1}"
        plan = PLAN_OF.get(name, PLANS[number % len(PLANS)])
        if name == "Nadia Brandt":
            first_due = FIRST_OF_MONTH
        person = Person(
            number=number, name=name, plan=plan, first_due=first_due, behaviour=behaviour
        )
        found.append(person)
    return found
