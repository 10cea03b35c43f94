"""Searching: by the beginnings of words without case and umlauts, by numbers, references, ids and
amounts; counted per kind; a rebuilt model equals the live one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config import Settings
from domain.dispatch import Dispatcher
from domain.readmodels import search
from domain.readmodels.search import MODEL, Group, Kind
from domain.readmodels.words import fold, prefix_query, words_of
from domain.stream.database import Database
from tests.readmodels.kit import Kit, Story


@pytest.fixture
def kit(settings: Settings) -> Iterator[Kit]:
    database = Database(settings.database_url, settings.kek)
    yield Kit(Dispatcher(database), [MODEL])
    database.close()


def find(kit: Kit, text: str, amount: int | None = None) -> dict[Kind, Group]:
    with kit.kontor.read() as connection:
        return {group.kind: group for group in search.find(connection, text, amount)}


def things(kit: Kit, text: str, kind: Kind) -> list[str]:
    group = find(kit, text).get(kind)
    return [row.thing for row in group.rows] if group else []


def test_names_by_the_beginnings_of_words(kit: Kit) -> None:
    mueller = Story(kit, "Jörg Müller-Weiß")
    Story(kit, "Nadia Brandt")
    for text in ("jörg", "JÖRG", "joerg", "jorg", "mül", "muller", "weiss", "weiß jör"):
        assert things(kit, text, Kind.CUSTOMER) == [mueller.customer_id], text
    assert find(kit, "üller") == {}
    assert find(kit, "jörg brandt") == {}


def test_everything_of_a_customer_is_found_by_name(kit: Kit) -> None:
    story = Story(kit, "Nadia Brandt")
    story.confirmed()
    refund_id = story.refund(49_90)
    found = find(kit, "brandt")
    assert list(found) == list(Kind)
    assert found[Kind.REFUND].rows[0].thing == refund_id


def test_numbers_references_and_ids(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(49_90)
    story.refund_sent(refund_id)
    assert things(kit, story.contract_number.lower(), Kind.CONTRACT) == [story.contract_id]
    assert things(kit, story.contract_number[3:], Kind.CONTRACT) == [story.contract_id]
    invoice = find(kit, "brandt")[Kind.INVOICE].rows[0]
    assert things(kit, invoice.label, Kind.INVOICE) == [story.invoice_id]
    assert things(kit, "pi_1", Kind.PAYMENT) == [story.payment_id]
    assert things(kit, "re_1", Kind.REFUND) == [refund_id]
    assert things(kit, story.payment_id, Kind.PAYMENT) == [story.payment_id]
    assert things(kit, story.payment_id[:14], Kind.PAYMENT) == [story.payment_id]
    assert "KOR" in find(kit, "KOR")[Kind.CORRECTION].rows[0].label


def test_amounts(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    refund_id = story.refund(49_90)
    found = find(kit, "49,90", 49_90)
    assert [row.thing for row in found[Kind.REFUND].rows] == [refund_id]
    assert found[Kind.CORRECTION].rows[0].amount == 49_90
    assert Kind.PAYMENT in find(kit, "", story.amount)
    assert find(kit, "", 1) == {}


def test_groups_are_short_and_counted(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        Story(kit, "Ida Petersen")
    monkeypatch.setattr(search, "GROUP_SIZE", 2)
    group = find(kit, "petersen")[Kind.CUSTOMER]
    assert (len(group.rows), group.count, group.capped) == (2, 4, False)
    monkeypatch.setattr(search, "CANDIDATES_MAX", 3)
    group = find(kit, "petersen")[Kind.CUSTOMER]
    assert (group.count, group.capped) == (3, True)


def test_signs_find_nothing_and_break_nothing(kit: Kit) -> None:
    Story(kit)
    for text in ("", "   ", "'", "!&|:*()", "\\", "💶", "''''; drop table x"):
        assert find(kit, text) == {}, text


def test_rebuilt_equals_live(kit: Kit) -> None:
    story = Story(kit)
    story.confirmed()
    story.refund_confirmed(story.refund(49_90))
    live, rebuilt = kit.rebuilt(MODEL)
    assert live == rebuilt


def test_words() -> None:
    assert fold("Müller-Straße") == "mueller-strasse"
    assert words_of("Müller", None, "") == ("mueller", "muller")
    assert words_of("RE-2026-004711") == ("004711", "2026", "4711", "re", "re2026004711")
    assert prefix_query("  Jörg  Müller-Weiß ") == "joerg:* & muellerweiss:*"
    assert prefix_query("a b c d e f g h i j").count("&") == 7
    assert len(prefix_query("x" * 500)) == 66
