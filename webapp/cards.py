"""Card numbers have no place in Kontor: nobody needs one, and a note that holds one would be card
data that we had to guard. It knows a number when it sees one, and says so at the field."""

from __future__ import annotations

import re
from typing import Final

from webapp.texts import _

# An IBAN in groups of four is digits in groups of four, too.
_IBAN: Final = re.compile(r"\b[A-Za-z]{2}[0-9]{2}(?:[ -]?[0-9A-Za-z]{1,4}){3,8}\b")
_LONG: Final = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[ .\u00a0-]?[0-9]){12,18}(?![0-9A-Za-z])")
# Every brand begins with one of these; a policy or a claim number mostly does not pass the rest.
_BRANDS: Final = ("2", "3", "4", "5", "6")


def holds_card_number(text: str) -> bool:
    """13 to 19 digits, also in groups, of a known brand and with a right check digit."""
    without = _IBAN.sub(" ", text)
    numbers = (re.sub(r"[^0-9]", "", found[0]) for found in _LONG.finditer(without))
    return any(one.startswith(_BRANDS) and _checks(one) for one in numbers)


def card_problem(text: str) -> str:
    """The sentence beside a field, or nothing."""
    if not holds_card_number(text):
        return ""
    return _("This looks like a card number. Nothing was stored. Take it out and send it again.")


def _checks(digits: str) -> bool:
    """Luhn: every second digit from the right counts double."""
    total = sum(int(one) for one in digits[-1::-2])
    total += sum(sum(divmod(int(one) * 2, 10)) for one in digits[-2::-2])
    return total % 10 == 0
