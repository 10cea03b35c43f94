"""The statement parser: what it reads, what it refuses with which sentence, and that no file of a
real bank, and no broken one, makes it fall over."""

import random
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from lxml import etree

from config import HAFENLICHT
from jobs.providers.stripe.simulator import camt as writer
from jobs.runs.statement import BYTES_MAX, StatementLine, StatementRefused, read_statement
from tests.architecture.routes import sandbox_app
from webapp.texts import sentence

IBAN = HAFENLICHT.iban


def line(amount: int, **changes: str) -> dict[str, object]:
    return {
        "amount": amount,
        "booked_on": "2026-12-04",
        "end_to_end_id": "TRACE1",
        "counterparty": "STRIPE PAYMENTS EUROPE LTD",
        "counterparty_iban": "IE29AIBK93115212345678",
        "remittance": "STRIPE po_1",
        "reason": "",
        **changes,
    }


def written(*lines: dict[str, object], **changes: object) -> bytes:
    opening = 10_000
    statement = {
        "id": "20261204-00004",
        "sequence": 4,
        "from": "2026-12-04",
        "to": "2026-12-04",
        "created": "2026-12-04T05:00:00+00:00",
        "opening": opening,
        "closing": opening + sum(int(one["amount"]) for one in lines),
        **changes,
    }
    return writer.render(HAFENLICHT, statement, list(lines))


def refusal(content: bytes, iban: str = IBAN) -> str:
    with pytest.raises(StatementRefused) as caught:
        read_statement(content, iban)
    return str(caught.value)


def test_a_statement_is_read_to_the_cent():
    statement = read_statement(
        written(
            line(121_500),
            line(-1_00, end_to_end_id="NOTPROVIDED", counterparty="Bäckerei Öz", reason="AC01"),
        ),
        "DE09 2007 0000 0123 4567 89",
    )
    header = statement.header
    assert (header.statement_id, header.sequence, header.iban) == ("20261204-00004", 4, IBAN)
    assert header.created_at == datetime(2026, 12, 4, 5, tzinfo=UTC)
    assert (header.from_on, header.to_on) == (date(2026, 12, 4), date(2026, 12, 4))
    assert (header.opening, header.closing, header.lines) == (10_000, 131_400, 2)
    first, second = statement.lines()
    assert first == StatementLine(
        n=1,
        amount=121_500,
        booked_on=date(2026, 12, 4),
        value_on=date(2026, 12, 4),
        end_to_end_id="TRACE1",
        reference="20261204-00004-0001",
        counterparty="STRIPE PAYMENTS EUROPE LTD",
        remittance="STRIPE po_1",
        reason="",
    )
    assert (second.amount, second.end_to_end_id, second.reason) == (-100, "", "AC01")
    assert second.counterparty == "Bäckerei Öz"
    assert list(statement.lines()) == [first, second], "lines can be read again"


def test_a_day_without_lines():
    statement = read_statement(written(), IBAN)
    assert statement.header.lines == 0
    assert list(statement.lines()) == []


def test_what_is_not_booked_is_no_line():
    pending = written(line(500), line(700)).replace(b"<Cd>BOOK</Cd>", b"<Cd>PDNG</Cd>", 1)
    pending = pending.replace(b">112.00<", b">107.00<")
    statement = read_statement(pending, IBAN)
    assert [(one.n, one.amount) for one in statement.lines()] == [(1, 700)]


def test_a_debit_balance():
    statement = read_statement(written(line(500), opening=-2_000, closing=-1_500), IBAN)
    assert (statement.header.opening, statement.header.closing) == (-2_000, -1_500)


GOOD = written(line(500))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is not readable XML"),
        (b"\x00\xff\x00", "The file is not readable XML"),
        (b"Buchungstag;Betrag\n01.12.2026;5,00\n", "The file is not readable XML"),
        (GOOD[:-40], "The file is not readable XML"),
        (b"<a/>", "The file begins with the element “a”, not with camt.053.001.08."),
        (b'<?xml version="1.0" encoding="x-none"?><a/>', "The file is not readable XML"),
        (b"<!DOCTYPE Document><Document/>", "The file has a DOCTYPE"),
        (GOOD.replace(b"001.08", b"001.02"), "The file is “camt.053.001.02”, not camt.053.001.08."),
        (GOOD.replace(b">105.00<", b">105.01<"), "to 5.00 EUR, the balances differ by 5.01 EUR."),
        (GOOD.replace(b">5.00<", b">5.001<"), "5.001 has parts of a cent."),
        (GOOD.replace(b">5.00<", b">5,00<"), "'5,00' is no amount."),
        (GOOD.replace(b">5.00<", "> ٥ <".encode()), "is no amount."),
        (GOOD.replace(b">5.00<", b">-5.00<"), "'-5.00' is no amount."),
        (GOOD.replace(b'Ccy="EUR"', b'Ccy="CHF"'), "An amount is in CHF, not in EUR."),
        (GOOD.replace(b"CLBD", b"ITBD"), "The statement has no balance CLBD."),
        (GOOD.replace(b"CLBD", b"OPBD"), "The statement has two balances OPBD."),
        (GOOD.replace(b">CRDT<", b">BOTH<"), "is neither credit nor debit."),
        (GOOD.replace(b"<BookgDt>", b"<BookgDx>").replace(b"/BookgDt", b"/BookgDx"), "BookgDt"),
        (GOOD.replace(b"<Dt>2026-12-04", b"<Dt>2026-13-04"), "'2026-13-04' is no date."),
        (GOOD.replace(b"<ElctrncSeqNb>4", b"<ElctrncSeqNb>four"), "'four' is no sequence number."),
        (GOOD.replace(b"2026-12-04T05", b"9999-99-99T05"), "is no point in time."),
        (GOOD.replace(b"<Id>20261204-00004</Id>", b""), "The statement has no Id."),
    ],
)
def test_what_is_refused_and_why(content, sentence):
    assert sentence in refusal(content)


def test_a_foreign_account_is_refused_without_telling_its_number():
    """The sentence is stored in the inbox and shown to everybody who reads the stream."""
    said = refusal(GOOD, "DE89370400440532013000")
    assert said == "The statement is of an account that ends in 6789, not of ours."


def test_a_statement_without_an_account_is_refused():
    nameless = GOOD.replace(f"<IBAN>{IBAN}</IBAN>".encode(), b"<Othr><Id>7</Id></Othr>", 1)
    assert "of an account that ends in ?, not of ours." in refusal(nameless)


def test_a_refused_sum_reaches_the_screen_as_money(tmp_path):
    with pytest.raises(StatementRefused) as caught:
        read_statement(GOOD.replace(b">105.00<", b">1234567.00<"), IBAN)
    with sandbox_app(tmp_path).test_request_context("/"):
        shown = sentence(caught.value).replace("\xa0", " ")
    assert "add up to 5,00 €, the balances differ by 1.234.467,00 €." in shown
    assert "cents" not in shown


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_statement_in_utf_16_is_read(encoding):
    text = written(line(500, counterparty="Bäckerei Öz")).decode().replace("UTF-8", "UTF-16")
    [found] = read_statement(text.encode(encoding), IBAN).lines()
    assert (found.amount, found.counterparty) == (500, "Bäckerei Öz")


def test_two_statements_in_one_file_are_refused():
    start, end = GOOD.index(b"<Stmt>"), GOOD.index(b"</BkToCstmrStmt>")
    assert refusal(GOOD[:end] + GOOD[start:end] + GOOD[end:]).startswith(
        ("The file holds 2 statements", "The statement has two balances")
    )


def test_half_a_message_is_refused():
    page = b"<MsgPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></MsgPgntn></GrpHdr>"
    assert "only one page" in refusal(GOOD.replace(b"</GrpHdr>", page))


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">',
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_a_doctype_is_refused_before_anything_is_read(doctype):
    head, body = GOOD.split(b"?>", 1)
    attack = head + b"?>" + doctype + body.replace(b"STRIPE po_1", b"&e;")
    assert "The file has a DOCTYPE" in refusal(attack)


def test_a_doctype_in_another_encoding_is_seen_too():
    text = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x><x/>'
    assert "The file has a DOCTYPE" in refusal(text.encode("utf-16"))


def test_too_much_is_refused():
    assert "has more than" in refusal(b"<" * (BYTES_MAX + 1))
    deep = GOOD.replace(b"<BkToCstmrStmt>", b"<a>" * 5000)
    assert "not readable XML" in refusal(deep)


def test_many_lines_add_up():
    many = [line(n, end_to_end_id=f"E{n}") for n in range(1, 2_001)]
    statement = read_statement(written(*many), IBAN)
    assert sum(one.amount for one in statement.lines()) == sum(range(1, 2_001))
    assert [one.end_to_end_id for one in statement.lines()][-1] == "E2000"


def test_broken_files_are_refused_and_never_crash():
    """A thousand files with small damages: each is read or refused, nothing else happens."""
    dice = random.Random(4)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(1000):
        damaged = bytearray(written(line(500), line(-250, reason="MS03")))
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(damaged))
            damaged[at : at + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 2))
        try:
            read_statement(bytes(damaged), IBAN)
            outcomes["read"] += 1
        except StatementRefused:
            outcomes["refused"] += 1
    assert outcomes["refused"] > 300
    assert outcomes["read"] > 0


def _samples(shared: Path) -> list[Path]:
    return sorted((shared / "samples" / "iso20022" / "messages").rglob("*.xml"))


def test_messages_of_real_banks_are_refused_with_a_sentence(shared):
    """None is a statement of our account in EUR; each gets a reason that a person can read."""
    reasons = {path.name: refusal(path.read_bytes()) for path in _samples(shared)}
    assert len(reasons) > 30
    assert "CHF" in next(text for name, text in reasons.items() if name.startswith("camt053_P_CH"))
    assert "camt.053.001.02" in reasons["gls_camt053.xml"]


def test_what_the_bank_of_the_sandbox_writes_is_valid(shared):
    schema = etree.XMLSchema(
        etree.parse(shared / "samples" / "iso20022" / "xsd" / "camt.053.001.08.xsd")
    )
    for content in (GOOD, written(), written(line(-1, reason="AC01", counterparty_iban=""))):
        schema.assertValid(etree.fromstring(content))
