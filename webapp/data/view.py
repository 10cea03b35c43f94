"""Our base view of Flask-Admin: a table to look at. It asks our permission table, reads in a
transaction that refuses writes, pages by key, and has no address that could change anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import abort, g, redirect, request
from flask_admin import BaseView, expose
from flask_admin.form import BaseForm
from flask_admin.model import BaseModelView
from werkzeug.wrappers import Response as AnyResponse

from domain.readmodels import browse, lists, paging
from domain.readmodels.browse import SEARCH, View
from domain.readmodels.browse_kept import Group
from domain.readmodels.exports import Asked, Kind
from domain.readmodels.lists import Order, text_of
from webapp.access import security
from webapp.data import cells, filters, names, screens
from webapp.data.addresses import ADD, FILTERS_MAX, VALUE, Addresses
from webapp.kontor import kontor
from webapp.lists import PLACE, position, read_place
from webapp.sentences import staff_names
from webapp.texts import _
from webapp.typed import typed

SEARCH_CHARS_MAX: Final = 100
READ_ONLY: Final = ("index_view", "details_view")


class Guarded(BaseView):
    """Asks our own table of permissions: Flask-Admin itself would let everybody in."""

    act = "data.open"

    def is_accessible(self) -> bool:
        return security.allowed(self.act)

    def inaccessible_callback(self, name: str, **kwargs: Any) -> AnyResponse:
        abort(403)

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        # Flask-Admin tries again after a TypeError and so hides where it came from.
        return fn(self, *args, **kwargs)


class StartView(Guarded):
    """The tables that this person may open."""

    @expose("/")
    def index(self) -> str:
        groups = [
            (words(), _lines(group))
            for group, words in names.GROUPS.items()
            if security.allowed(names.ACTS[group])
        ]
        return self.render("data/index.html", groups=groups, endpoint=names.endpoint)


def _lines(group: Group) -> list[tuple[str, list[View]]]:
    """What is said of the tables, and the tables: those of one read model stand together."""
    lines: dict[str, list[View]] = {}
    for view in browse.VIEWS.values():
        if view.group is group:
            words = names.ABOUT.get(view.name) or names.MODELS.get(view.model)
            lines.setdefault(words() if words else view.model, []).append(view)
    return list(lines.items())


@dataclass(frozen=True, slots=True)
class Looked:
    """What a request asks of a table. `errors`: what was typed and is no value of its column."""

    filters: Mapping[str, object]
    order: Order
    errors: tuple[str, ...]

    @property
    def asked(self) -> Asked | None:
        """The same as a file; None when it was not understood."""
        if self.errors:
            return None
        return Asked(filters=dict(self.filters), order=text_of(self.order))


class BrowseView(Guarded, BaseModelView, Addresses):
    """One table."""

    can_create = can_edit = can_delete = can_export = False
    can_view_details = True
    named_filter_urls = True
    list_template = "data/list.html"
    details_template = "data/details.html"
    page_size = lists.PAGE
    column_display_actions = False

    def __init__(self, table: View) -> None:
        self.table = table
        self.act = names.ACTS[table.group]
        self.kinds = {field.name: field.cell for field in table.fields}
        self.column_filters = filters.of_fields(table.fields)
        self.column_labels = {field.name: field.name for field in table.fields}
        # Only what reads gets an address.
        urls: list[tuple[str, str, object]] = getattr(BrowseView, "_urls")  # noqa: B009 - made by Flask-Admin's metaclass
        self._urls = [one for one in urls if one[1] in READ_ONLY]
        super().__init__(
            table.source.row,
            name=table.name,
            endpoint=names.endpoint(table),
            url=table.name,
        )

    def scaffold_list_columns(self) -> list[str]:
        return list(names.shown(self.table))

    def get_details_columns(self) -> list[tuple[str, str]]:
        return [(field.name, field.name) for field in self.table.fields]

    def scaffold_sortable_columns(self) -> dict[str, str]:
        """Columns with an index, and the key under its first name that the list shows."""
        sorts = {name: name for name in self.table.source.sorts if name != browse.KEY}
        return {self._key_column: browse.KEY, **sorts}

    @property
    def _key_column(self) -> str:
        shown = names.shown(self.table)
        return next((one for one in self.table.key if one in shown), self.table.key[-1])

    def scaffold_form(self) -> type[BaseForm]:
        return BaseForm

    def scaffold_list_form(self, *_args: Any, **_kwargs: Any) -> type[BaseForm]:
        return BaseForm

    def init_search(self) -> bool:
        return Kind.TEXT in self.kinds.values()

    def get_pk_value(self, model: Any) -> list[str]:
        return [str(getattr(model, column)) for column in self.table.key]

    def _get_list_filter_args(self) -> list[tuple[int, str, str]]:
        """Flask-Admin's filters of the address; what is no value is said on the page, while
        Flask-Admin would leave it out and say so in a cookie."""
        found: list[tuple[int, str, str]] = []
        g.data_errors = [_("Choose the column that shall have this value.")] if self.lonely else []
        for arg in sorted(request.args)[: 2 * FILTERS_MAX]:
            key = arg.partition("_")[2]
            if not arg.startswith("flt") or key not in self.known_filters:
                continue
            index, one = self.known_filters[key]
            value = typed(request.args[arg], lists.TEXT_MAX)
            if any(index == other for other, _name, _value in found) or len(found) == FILTERS_MAX:
                g.data_errors.append(_("Each filter can be set once."))
            elif not one.validate(value):
                message = one.question(value) or self.get_invalid_value_msg(value, one)
                g.data_errors.append(f"{one.name}: {message}")
            found.append((index, one.name, value))
        return found

    def looked(self) -> Looked:
        """What this request asks for."""
        args = self._get_list_extra_args()
        conditions: dict[str, object] = {}
        if not g.data_errors:
            for index, _name, value in args.filters or ():
                one = self._filters[index]
                conditions[one.condition] = one.clean(value)
        search = typed(args.search, SEARCH_CHARS_MAX)
        if search:
            conditions[SEARCH] = filters.containing(search)
        column = self._get_column_by_idx(args.sort)
        order = self.table.order
        if column is not None and column[0] in self._sortable_columns:
            order = Order(sort=self._sortable_columns[column[0]], down=args.sort_desc)
        return Looked(conditions, order, tuple(g.data_errors))

    def get_list(self, *_asked: Any, **_more: Any) -> tuple[int | None, list[Any]]:
        """One page by key; the count stops at 10.000. Flask-Admin's page numbers would make
        PostgreSQL read everything in front of a page."""
        looked = self.looked()
        told = self._template_args
        told.update(looked=looked, too_slow=False, found=None)
        if looked.errors:
            return 0, []
        try:
            place = read_place(self.table.source, looked.order, request.args.get(PLACE, ""))
        except ValueError:
            abort(400)
        try:
            with kontor().read() as connection, browse.looking(connection):
                page = paging.page(
                    connection, self.table.source, looked.filters, looked.order, place
                )
        except browse.TooSlow:
            told["too_slow"] = True
            return 0, []
        told.update(found=page, position=position(page))
        return page.count.number, list(page.rows)

    def get_one(self, id: str | list[str]) -> Any:
        key = [id] if isinstance(id, str) else id
        with kontor().read() as connection, browse.looking(connection):
            return browse.one(connection, self.table, key)

    @expose("/")
    def index_view(self) -> Any:
        """What the form adds becomes part of the address, and nothing empty stays in it."""
        if request.args.get(ADD):
            return redirect(self._with_filter(request.args[ADD], request.args.get(VALUE, "")), 303)
        if ADD in request.args and not self.lonely:
            return redirect(self.address(), 303)
        return super().index_view()

    @expose("/details/")
    def details_view(self) -> Any:
        key = request.args.getlist("id")
        row = self.get_one(key) if key else None
        if row is None:
            abort(404)
        return self.render(
            self.details_template,
            model=row,
            title=" ".join(self.get_pk_value(row)),
            details_columns=self._details_columns,
        )

    def list_cell(self, row: Any, name: str) -> str:
        value = getattr(row, name)
        if name in names.PEOPLE and value in staff_names():
            value = staff_names()[value]
        return cells.in_list(self.kinds[name], value)

    def detail_cell(self, row: Any, name: str) -> str:
        return cells.in_detail(self.kinds[name], getattr(row, name))

    def screen(self, row: Any, name: str) -> str:
        """The address of what the cell names, where it has a page of its own."""
        return screens.address(name, getattr(row, name))

    def own_screen(self, row: Any) -> str:
        """The page of what the row itself is."""
        return self.screen(row, self.table.key[-1])

    def row_address(self, row: Any) -> str:
        return self.get_url(".details_view", id=self.get_pk_value(row))
