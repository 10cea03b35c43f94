"""Reads a bank statement, camt.053.001.08, as a stream: first the whole file is checked, then its
booked lines are given one by one. It records nothing; who refuses a file says why in a sentence."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO

from lxml import etree

from domain.kernel.money import Amount, Cents
from jobs.runs import camt
from jobs.runs.camt import TEXT_CHARS_MAX, Element, N, StatementRefused

BYTES_MAX = 50_000_000
"""About 50,000 booked lines; a house account has hundreds a day."""
LINES_MAX = 100_000
_OPENING, _CLOSING = "OPBD", "CLBD"
_OPENING_ALIAS = "PRCD"  # the previous closing, which some banks send instead
BOOKED = "BOOK"
NOT_PROVIDED = "NOTPROVIDED"
IBAN_SHOWN = 4
"""Of a foreign account: enough to find the file's owner, and no account number in the inbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementHeader:
    """One statement of one account in EUR; `sequence` is 0 where the bank gives none."""

    statement_id: str
    iban: str
    sequence: int
    created_at: datetime
    from_on: date
    to_on: date
    opening: Cents
    closing: Cents
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One booked entry: `amount` is signed, money to us is positive. `n` counts from 1.

    Texts are as the bank prints them, "" where it prints none.
    """

    n: int
    amount: Cents
    booked_on: date
    value_on: date
    end_to_end_id: str
    reference: str
    counterparty: str
    remittance: str
    reason: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A checked file. `lines` reads it again, so a large one is never held as objects."""

    header: StatementHeader
    content: bytes

    def lines(self) -> Iterator[StatementLine]:
        for _, line in _read(self.content):
            if line is not None:
                yield line


def read_statement(content: bytes, our_iban: str) -> Statement:
    """The statement after every check, or StatementRefused; never half of one."""
    if len(content) > BYTES_MAX:
        raise StatementRefused("The file has more than %(limit)d bytes.", limit=BYTES_MAX)
    facts = _Facts()
    total, lines = 0, 0
    for element, line in _read(content):
        if line is None:
            facts.take(element)
            continue
        total, lines = total + line.amount, lines + 1
        if lines > LINES_MAX:
            raise StatementRefused("The statement has more than %(limit)d lines.", limit=LINES_MAX)
    return Statement(facts.header(our_iban, total, lines), content)


class _Facts:
    """What the statement says about itself, gathered while its lines pass by."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._period: tuple[date, date] | None = None
        self._balances: dict[str, tuple[Cents, date]] = {}
        self._statements = 0

    def take(self, element: Element) -> None:
        name = etree.QName(element).localname
        if name == "Stmt":
            self._statements += 1
        elif name == "MsgPgntn":
            if (
                camt.text(element, "LastPgInd") != "true"
                or camt.text(element, "PgNb").strip("0") != "1"
            ):
                raise StatementRefused("The file holds only one page of a longer message.")
        elif name == "Bal":
            self._take_balance(element)
        elif name == "Acct":
            self._texts["iban"] = camt.compact(camt.text(element, "Id", "IBAN"))
        elif name == "FrToDt":
            bounds = (
                camt.day(camt.text(element, "FrDtTm")),
                camt.day(camt.text(element, "ToDtTm")),
            )
            self._period = bounds
        else:
            self._texts.setdefault(name, (element.text or "").strip())

    def _take_balance(self, balance: Element) -> None:
        code = camt.text(balance, "Tp", "CdOrPrtry", "Cd")
        code = _OPENING if code == _OPENING_ALIAS else code
        if code in (_OPENING, _CLOSING):
            if code in self._balances:
                raise StatementRefused("The statement has two balances %(code)s.", code=code)
            self._balances[code] = camt.signed(balance), camt.date_of(balance, "Dt", "balance")

    def header(self, our_iban: str, total: Cents, lines: int) -> StatementHeader:
        if self._statements != 1:
            raise StatementRefused(
                "The file holds %(count)d statements; one at a time.", count=self._statements
            )
        iban = self._texts.get("iban", "")
        if iban != camt.compact(our_iban):
            raise StatementRefused(
                "The statement is of an account that ends in %(ending)s, not of ours.",
                ending=iban[-IBAN_SHOWN:] or "?",
            )
        for code in (_OPENING, _CLOSING):
            if code not in self._balances:
                raise StatementRefused("The statement has no balance %(code)s.", code=code)
        (opening, opened_on), (closing, closed_on) = (
            self._balances[_OPENING],
            self._balances[_CLOSING],
        )
        if opening + total != closing:
            raise StatementRefused(
                "The booked lines add up to %(total)s, the balances differ by %(difference)s.",
                total=Amount(total),
                difference=Amount(closing - opening),
            )
        from_on, to_on = self._period or (opened_on, closed_on)
        return StatementHeader(
            statement_id=self._needed("Id"),
            iban=iban,
            sequence=camt.number(self._texts.get("ElctrncSeqNb", "0")),
            created_at=camt.instant(self._needed("CreDtTm")),
            from_on=from_on,
            to_on=to_on,
            opening=opening,
            closing=closing,
            lines=lines,
        )

    def _needed(self, name: str) -> str:
        if not self._texts.get(name):
            raise StatementRefused("The statement has no %(name)s.", name=name)
        return self._texts[name]


_OF_STATEMENT = frozenset(
    N + name for name in ("Id", "ElctrncSeqNb", "CreDtTm", "FrToDt", "Acct", "Bal")
)


def _read(content: bytes) -> Iterator[tuple[Element, StatementLine | None]]:
    """Elements of the statement's head, and its booked lines; each is freed after its turn."""
    number = 0
    try:
        # `huge_tree=False` keeps libxml2's own limits; nothing is ever loaded from outside.
        events = etree.iterparse(
            BytesIO(content),
            events=("start", "end"),
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        root: Element | None = None
        for event, element in events:
            if event == "start":
                root = _check_root(element) if root is None else root
                continue
            parent = element.getparent()
            in_statement = parent is not None and parent.tag == f"{N}Stmt"
            if element.tag == f"{N}Ntry" and in_statement:
                if _status(element) == BOOKED:
                    number += 1
                    yield element, _line(number, element)
                _free(element)
            elif element.tag in (f"{N}Stmt", f"{N}MsgPgntn") or (
                in_statement and element.tag in _OF_STATEMENT
            ):
                yield element, None
    except etree.XMLSyntaxError as error:
        raise StatementRefused(
            "The file is not readable XML from line %(line)d on.", line=error.lineno or 1
        ) from error


def _check_root(root: Element) -> Element:
    info = root.getroottree().docinfo
    if info.doctype or info.internalDTD is not None:
        raise StatementRefused("The file has a DOCTYPE, which no bank statement has.")
    if root.tag != f"{N}Document":
        # Split by hand: lxml's QName raises for a prefix that the file never declares.
        space, _, name = str(root.tag).rpartition("}")
        if not space:
            raise StatementRefused(
                "The file begins with the element “%(found)s”, not with camt.053.001.08.",
                found=name[:TEXT_CHARS_MAX],
            )
        found = space.lstrip("{").rpartition(":")[2][:TEXT_CHARS_MAX]
        raise StatementRefused("The file is “%(found)s”, not camt.053.001.08.", found=found)
    return root


def _free(element: Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _line(number: int, entry: Element) -> StatementLine:
    details = entry.findall(f"{N}NtryDtls/{N}TxDtls")
    # A batch is one booking; whose parts it has is not ours to guess.
    detail = details[0] if len(details) == 1 else None
    amount = camt.signed(entry)
    booked_on = camt.date_of(entry, "BookgDt", f"line {number}")
    has_value = entry.find(f"{N}ValDt") is not None
    end_to_end = camt.text(detail, "Refs", "EndToEndId")
    return StatementLine(
        n=number,
        amount=amount,
        booked_on=booked_on,
        value_on=camt.date_of(entry, "ValDt", f"line {number}") if has_value else booked_on,
        end_to_end_id="" if end_to_end == NOT_PROVIDED else end_to_end,
        reference=camt.text(entry, "AcctSvcrRef") or camt.text(entry, "NtryRef"),
        counterparty=_counterparty(detail, amount),
        remittance=_remittance(detail) or camt.text(entry, "AddtlNtryInf"),
        reason=camt.text(detail, "RtrInf", "Rsn", "Cd"),
    )


def _status(entry: Element) -> str:
    return camt.text(entry, "Sts", "Cd")


def _counterparty(detail: Element | None, amount: Cents) -> str:
    """Who paid us, or whom we paid; the other side where the bank names only that one."""
    first, second = ("Dbtr", "Cdtr") if amount >= 0 else ("Cdtr", "Dbtr")
    for side in (first, second):
        name = camt.text(detail, "RltdPties", side, "Pty", "Nm")
        if name:
            return name
    return ""


def _remittance(detail: Element | None) -> str:
    if detail is None:
        return ""
    parts = [(one.text or "").strip() for one in detail.findall(f"{N}RmtInf/{N}Ustrd")]
    text = " ".join(part for part in parts if part)[:TEXT_CHARS_MAX]
    return text or camt.text(detail, "RmtInf", "Strd", "CdtrRefInf", "Ref")
