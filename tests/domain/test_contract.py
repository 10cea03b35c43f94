"""Contracts: the premium table of DOMAIN_RULES P5 by both policies, and instalments in order."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from domain.contracts.commands import BillInstalment
from domain.contracts.contract import due_on
from domain.contracts.events import ContractSigned, Cover, InstalmentBilled, Rounding
from domain.contracts.premium import instalment_lines
from domain.kernel.ids import read_id, shard_of
from domain.kernel.lines import Line, total_gross
from domain.kernel.message import Event
from domain.kernel.money import round_half_up
from tests.domain import facts as f
from tests.domain.properties import quick
from tests.spec import World, given, make_id

A, B = Rounding.INSTALMENT_FIRST, Rounding.ANNUAL_FIRST
HOUSEHOLD = Cover(name="Hausrat", net_year=120_00, tax_rate_bp=1900)


def year(covers: tuple[Cover, ...], count: int, surcharge: int, policy: Rounding) -> list[Line]:
    return [
        line
        for instalment in range(count)
        for line in instalment_lines(
            covers,
            instalments_per_year=count,
            surcharge_bp=surcharge,
            rounding=policy,
            instalment=instalment,
        )
    ]


@pytest.mark.parametrize(
    ("count", "surcharge", "first", "year_a", "year_b"),
    [
        (1, 0, (120_00, 22_80, 142_80), 142_80, 142_80),
        (2, 300, (61_80, 11_74, 73_54), 147_08, 147_08),
        (4, 500, (31_50, 5_99, 37_49), 149_96, 149_94),
        (12, 500, (10_50, 2_00, 12_50), 150_00, 149_94),
    ],
)
def test_the_table_of_p5(
    count: int, surcharge: int, first: tuple[int, int, int], year_a: int, year_b: int
) -> None:
    """DOMAIN_RULES P5: net 120.00, tax 19 %."""
    by_instalment = year((HOUSEHOLD,), count, surcharge, A)
    assert {(line.net, line.tax, line.gross) for line in by_instalment} == {first}
    assert total_gross(tuple(by_instalment)) == year_a
    assert total_gross(tuple(year((HOUSEHOLD,), count, surcharge, B))) == year_b


def test_remainder_cents_go_to_the_first_instalments() -> None:
    """P5, policy B: six times 12.50, then six times 12.49."""
    gross = [line.gross for line in year((HOUSEHOLD,), 12, 500, B)]
    assert gross == [12_50] * 6 + [12_49] * 6


COVERS = st.lists(
    st.builds(
        Cover,
        name=st.sampled_from(["Hausrat", "Glas", "Elementar"]),
        net_year=st.integers(1, 1_000_000),
        tax_rate_bp=st.sampled_from([0, 1615, 1900, 2200]),
    ),
    min_size=1,
    max_size=3,
).map(tuple)


@quick
@for_all(COVERS, st.sampled_from([1, 2, 4, 12]), st.sampled_from([0, 300, 500]))
def test_sums_by_each_policy(covers: tuple[Cover, ...], count: int, surcharge: int) -> None:
    """P5: A makes all instalments equal; B makes them sum to the annual figure, net and tax."""
    equal, exact = year(covers, count, surcharge, A), year(covers, count, surcharge, B)
    for n, cover in enumerate(covers):
        of_a, of_b = equal[n :: len(covers)], exact[n :: len(covers)]
        assert len({(line.net, line.tax) for line in of_a}) == 1
        net_year = round_half_up(cover.net_year * (10_000 + surcharge), 10_000)
        assert sum(line.net for line in of_b) == net_year
        tax_year = round_half_up(net_year * cover.tax_rate_bp, 10_000)
        assert sum(line.tax for line in of_b) == tax_year
        assert max(line.gross for line in of_b) - min(line.gross for line in of_b) <= 2
        assert all(line.net + line.tax == line.gross for line in (*of_a, *of_b))


def signed(**changes: object) -> list[Event]:
    world = World()
    world.send(f.sign(**changes))
    return world.events


def test_signing_copies_the_terms_and_happens_once() -> None:
    command = f.sign()
    (event,) = given([]).when(command).records(ContractSigned)
    assert isinstance(event, ContractSigned)
    assert (event.covers, event.first_due_on) == (command.covers, f.D)
    given(signed()).when(f.sign(product="another")).nothing()


def test_a_plan_that_makes_no_sense() -> None:
    given([]).when(f.sign(instalments_per_year=3)).refused("1, 2, 4 or 12 instalments")
    given([]).when(f.sign(covers=())).refused("at least one cover")


def test_an_instalment_is_billed_once_and_in_order() -> None:
    past = signed()
    (first,) = given(past).when(f.bill()).records(InstalmentBilled)
    assert isinstance(first, InstalmentBilled)
    assert first.lines == (Line(cover="Hausrat", net=1050, tax_rate_bp=1900, tax=200),)
    assert (first.instalment, first.due_on) == (0, f.D)
    assert (first.period_from, first.period_to) == (f.D, date(2026, 12, 31))
    given([*past, first]).when(f.bill()).nothing()
    given(past).when(f.bill(date(2027, 1, 1))).refused("due on 2026-12-01 comes first")
    given([]).when(f.bill()).refused("does not exist")


def test_what_one_instalment_makes_lies_with_the_payer() -> None:
    (billed,) = given(signed()).when(f.bill()).records(InstalmentBilled)
    assert isinstance(billed, InstalmentBilled)
    made = [billed.receivable_id, billed.invoice_id, billed.payment_id]
    assert {shard_of(read_id(one)) for one in (*made, f.CUSTOMER)} == {
        shard_of(read_id(f.CUSTOMER))
    }
    assert len(set(made)) == 3


@pytest.mark.parametrize("count", [1, 2, 4, 12])
def test_periods_follow_each_other_without_a_gap(count: int) -> None:
    world = World(signed(instalments_per_year=count, first_due_on=date(2027, 1, 31)))
    contract = world.events[0]
    assert isinstance(contract, ContractSigned)
    for instalment in range(2 * count):
        (event,) = world.send(f.bill(due_on(contract, instalment)))
        assert isinstance(event, InstalmentBilled)
        assert event.period_to + timedelta(days=1) == due_on(contract, instalment + 1)
    assert event.period_to == date(2029, 1, 30)


def test_another_contract_makes_other_ids() -> None:
    other = make_id("ct", "other")
    (one,) = given(signed()).when(f.bill()).records(InstalmentBilled)
    command = BillInstalment(by="timer", contract_id=other, due_on=f.D)
    (two,) = given(signed(contract_id=other)).when(command).records(InstalmentBilled)
    assert isinstance(one, InstalmentBilled)
    assert isinstance(two, InstalmentBilled)
    assert one.payment_id != two.payment_id
