"""Addresses of a browsed table: with one filter more or less, another order, another page. They
hold what makes this view of the table and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import abort, request

from domain.readmodels import lists
from domain.readmodels.browse import View
from domain.readmodels.lists import Place
from webapp.data.filters import ColumnFilter
from webapp.lists import LAST_PAGE, PLACE, write_place
from webapp.typed import typed

ADD, VALUE, SEARCHED, SORTED, DOWN = "filter", "value", "search", "sort", "desc"
"""Parameters of the address; the filters themselves are Flask-Admin's `flt0_status_equals`."""
KEPT: Final = (SEARCHED, SORTED, DOWN)
FILTERS_MAX: Final = 20
"""One more needs another question."""


class Addresses:
    """A part of `BrowseView`; what stands first here is Flask-Admin's."""

    _filters: list[ColumnFilter]
    _filter_args: Mapping[str, tuple[int, ColumnFilter]] | None
    _sortable_columns: Mapping[str, str]
    _template_args: dict[str, Any]
    table: View

    @property
    def known_filters(self) -> Mapping[str, tuple[int, ColumnFilter]]:
        """By the names they have in addresses."""
        return self._filter_args or {}

    def get_url(self, endpoint: str, **values: Any) -> str:
        raise NotImplementedError

    def _with_filter(self, name: str, value: str) -> str:
        """This address with one more filter, on its first page."""
        known = self.known_filters
        if name not in known:
            abort(400)
        value = value if known[name][1].takes_value else "1"
        kept = {arg: text for arg, text in self.kept.items() if arg.partition("_")[2] != name}
        used = {arg.partition("_")[0] for arg in kept}
        free = next(n for n in range(FILTERS_MAX + 1) if f"flt{n}" not in used)
        return self.get_url(".index_view", **kept, **{f"flt{free}_{name}": value})

    def address(self, **changed: Any) -> str:
        """This view of the table with something changed, from its first page."""
        return self.get_url(".index_view", **{**self.kept, **changed})

    @property
    def kept(self) -> dict[str, Any]:
        """What makes this view of the table: search, order and filters, not the place in it."""
        known = self.known_filters
        return {
            name: text
            for name, value in request.args.items()
            if (name in KEPT or (name.startswith("flt") and name.partition("_")[2] in known))
            and (text := typed(value, lists.TEXT_MAX))
        }

    @property
    def lonely(self) -> str:
        """A value that was typed without a column to look for it in."""
        text = typed(request.args.get(VALUE), lists.TEXT_MAX)
        return "" if request.args.get(ADD) else text

    def place_address(self, place: Place | str) -> str:
        text = place if isinstance(place, str) else write_place(place)
        return self.address(**{PLACE: text})

    @property
    def last_address(self) -> str:
        return self.place_address(LAST_PAGE)

    def sort_address(self, index: int, name: str) -> str | None:
        """The other way round when this column sorts already; None without an index."""
        if name not in self._sortable_columns:
            return None
        down = self.way(name) == "ascending"
        return self.address(**{SORTED: index, DOWN: 1 if down else None})

    def way(self, name: str) -> str:
        order = self._template_args["looked"].order
        if self._sortable_columns.get(name) != order.sort:
            return ""
        return "descending" if order.down else "ascending"

    @property
    def active(self) -> list[tuple[str, str, str]]:
        """The filters that are set: their words, what was typed, the address without them."""
        set_filters = []
        for arg, value in self.kept.items():
            if arg not in KEPT:
                one = self.known_filters[arg.partition("_")[2]][1]
                words = f"{one.name} {one.operation()}"
                shown = one.shown(value) if one.takes_value else ""
                set_filters.append((words, shown, self.address(**{arg: None})))
        return set_filters

    @property
    def export_address(self) -> str:
        return self.get_url("exports.create", list=self.table.export_name, **self.kept)
