"""Writes one bank statement as camt.053.001.08 the way German banks do. It computes nothing."""

from xml.etree import ElementTree

from config import House
from jobs.providers.stripe.simulator.store import Json

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_RETURN_FAMILY = ("RCDT", "RRTN")
_FAMILIES = {True: ("RCDT", "ESCT"), False: ("ICDT", "ESCT")}


def render(house: House, statement: Json, lines: list[Json]) -> bytes:
    ElementTree.register_namespace("", NAMESPACE)
    root = ElementTree.Element(f"{{{NAMESPACE}}}Document")
    report = _add(root, "BkToCstmrStmt")
    header = _add(report, "GrpHdr")
    _add(header, "MsgId", f"HLFN{statement['id']}")
    _add(header, "CreDtTm", statement["created"])
    body = _add(report, "Stmt")
    _add(body, "Id", statement["id"])
    _add(body, "ElctrncSeqNb", str(statement["sequence"]))
    _add(body, "LglSeqNb", str(statement["sequence"]))
    _add(body, "CreDtTm", statement["created"])
    period = _add(body, "FrToDt")
    _add(period, "FrDtTm", f"{statement['from']}T00:00:00")
    _add(period, "ToDtTm", f"{statement['to']}T23:59:59")
    _account(_add(body, "Acct"), house)
    _balance(body, "OPBD", statement["opening"], statement["from"])
    _balance(body, "CLBD", statement["closing"], statement["to"])
    for number, line in enumerate(lines, start=1):
        _entry(_add(body, "Ntry"), house, f"{statement['id']}-{number:04}", line)
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return content


def _account(account: ElementTree.Element, house: House) -> None:
    _add(_add(account, "Id"), "IBAN", house.iban)
    _add(account, "Ccy", "EUR")
    _add(_add(account, "Ownr"), "Nm", house.name)
    _add(_add(_add(account, "Svcr"), "FinInstnId"), "BICFI", house.bic)


def _balance(body: ElementTree.Element, code: str, cents: int, on: str) -> None:
    balance = _add(body, "Bal")
    _add(_add(_add(balance, "Tp"), "CdOrPrtry"), "Cd", code)
    _amount(balance, cents)
    _add(_add(balance, "Dt"), "Dt", on)


def _entry(entry: ElementTree.Element, house: House, reference: str, line: Json) -> None:
    credit = line["amount"] >= 0
    _add(entry, "NtryRef", reference)
    _amount(entry, line["amount"])
    _add(_add(entry, "Sts"), "Cd", "BOOK")
    _add(_add(entry, "BookgDt"), "Dt", line["booked_on"])
    _add(_add(entry, "ValDt"), "Dt", line["booked_on"])
    _add(entry, "AcctSvcrRef", reference)
    domain = _add(_add(entry, "BkTxCd"), "Domn")
    _add(domain, "Cd", "PMNT")
    family = _add(domain, "Fmly")
    codes = _RETURN_FAMILY if line["reason"] else _FAMILIES[credit]
    _add(family, "Cd", codes[0])
    _add(family, "SubFmlyCd", codes[1])
    details = _add(_add(entry, "NtryDtls"), "TxDtls")
    _add(_add(details, "Refs"), "EndToEndId", line["end_to_end_id"])
    _amount(details, line["amount"])
    _parties(_add(details, "RltdPties"), house, line)
    _add(_add(details, "RmtInf"), "Ustrd", line["remittance"])
    if line["reason"]:
        _add(_add(_add(details, "RtrInf"), "Rsn"), "Cd", line["reason"])
    _add(entry, "AddtlNtryInf", "SEPA-Gutschrift" if credit else "SEPA-Überweisung")


def _parties(parties: ElementTree.Element, house: House, line: Json) -> None:
    theirs = line["counterparty"], line["counterparty_iban"]
    ours = house.name, house.iban
    debtor, creditor = (theirs, ours) if line["amount"] >= 0 else (ours, theirs)
    for tag, (name, iban) in (("Dbtr", debtor), ("Cdtr", creditor)):
        _add(_add(_add(parties, tag), "Pty"), "Nm", name)
        if iban:
            _add(_add(_add(parties, f"{tag}Acct"), "Id"), "IBAN", iban)


def _amount(parent: ElementTree.Element, cents: int) -> None:
    whole, rest = divmod(abs(cents), 100)
    _add(parent, "Amt", f"{whole}.{rest:02}").set("Ccy", "EUR")
    _add(parent, "CdtDbtInd", "CRDT" if cents >= 0 else "DBIT")


def _add(parent: ElementTree.Element, tag: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
    child.text = text
    return child
