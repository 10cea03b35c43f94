"""The filters of the data browser, as Flask-Admin has them: its words for the operations in the
reader's language, its checks of what was typed, one condition of the table each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from flask_admin.babel import lazy_gettext
from flask_admin.model.filters import BaseFilter
from flask_babel import LazyString

from domain.kernel.message import Refused
from domain.kernel.time import BERLIN
from domain.readmodels.browse import OPERATIONS, Field, Operation, condition
from domain.readmodels.exports import Kind
from domain.readmodels.lists import BIGINT_MAX, TEXT_MAX
from webapp.format import parse_amount, parse_day, typed_day
from webapp.texts import N_, _, sentence
from webapp.typed import typed

WORDS: Final[Mapping[Operation, Any]] = {
    Operation.EQUALS: lazy_gettext("equals"),
    Operation.CONTAINS: lazy_gettext("contains"),
    Operation.GREATER: lazy_gettext("greater than"),
    Operation.SMALLER: lazy_gettext("smaller than"),
    Operation.EMPTY: lazy_gettext("empty"),
    # Flask-Admin has no German for this one.
    Operation.FILLED: LazyString(_, N_("not empty")),
}
WITHOUT_VALUE: Final = frozenset({Operation.EMPTY, Operation.FILLED})


class ColumnFilter(BaseFilter):
    """`clean` raises ValueError for what that column cannot hold: the database is not asked."""

    def __init__(self, field: Field, operation: Operation) -> None:
        super().__init__(field.name)
        self.condition = condition(field.name, operation)
        self._operation = operation
        self._cell = field.cell
        self._read = READ[field.cell]

    @property
    def takes_value(self) -> bool:
        return self._operation not in WITHOUT_VALUE

    def operation(self) -> Any:
        return WORDS[self._operation]

    def clean(self, value: str) -> object:
        if not self.takes_value:
            return True
        text = typed(value, TEXT_MAX)
        if not text:
            raise ValueError("nothing was typed")
        return containing(text) if self._operation is Operation.CONTAINS else self._read(text)

    def question(self, value: str) -> str:
        """Why a day or an amount is not understood, in words; "" where there is no more to say."""
        try:
            self.clean(value)
        except ValueError as error:
            return sentence(error.__cause__) if isinstance(error.__cause__, Refused) else ""
        return ""

    def shown(self, value: str) -> str:
        """A day as Germans write it, whatever the address says."""
        return typed_day(value) if self._cell is Kind.DAY else value


def containing(text: str) -> str:
    """A pattern in which `%` and `_` are themselves."""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{plain}%"


def _number(text: str) -> int:
    number = int(text.replace(".", ""))
    if abs(number) > BIGINT_MAX:
        raise ValueError(text)
    return number


def _money(text: str) -> int:
    """`49,90`, as in the rest of the house; below nothing with a minus."""
    sign = -1 if text[0] in "-−" else 1
    try:
        return sign * parse_amount(text.lstrip("-−"))
    except Refused as refused:
        raise ValueError(refused.message) from refused


def _day(text: str) -> date:
    try:
        return parse_day(text)
    except Refused as refused:
        raise ValueError(refused.message) from refused


def _instant(text: str) -> datetime:
    """A day, or a day and a time, in Berlin."""
    for form in ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%d %H:%M"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=BERLIN)
        except ValueError:
            continue
    return datetime.combine(_day(text), datetime.min.time(), BERLIN)


READ: Final[Mapping[Kind, Callable[[str], object]]] = {
    Kind.TEXT: str,
    Kind.WORD: str,
    Kind.JSON: str,
    Kind.NUMBER: _number,
    Kind.MONEY: _money,
    Kind.DAY: _day,
    Kind.INSTANT: _instant,
}


def of_fields(fields: tuple[Field, ...]) -> list[ColumnFilter]:
    return [
        ColumnFilter(field, operation) for field in fields for operation in OPERATIONS[field.cell]
    ]
