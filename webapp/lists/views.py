"""Saved views: filters and order of a list under a name, private or for everybody, and the one that
a list opens with. It stores addresses; what they mean is read by the list each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs, urlencode
from uuid import uuid4

from flask import g
from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from domain.kernel.message import Refused
from webapp.models import DefaultView, SavedView, Staff, db
from webapp.sentences.who import NAMES_MAX

VIEWS_MAX: Final = 50
"""Of one person, over all lists; more are a search of their own."""
SHARED_MAX: Final = 50
"""Shown of one list, the oldest first."""
NAME_CHARS_MAX: Final = 60
QUERY_CHARS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """`own`: of the person who looks; `default`: their list opens with it."""

    id: str
    listing: str
    name: str
    query: str
    shared: bool
    own: bool
    default: bool = False

    @property
    def args(self) -> dict[str, Any]:
        return parse_qs(self.query)


@dataclass(frozen=True, slots=True)
class Views:
    """Of one list, for one person; `current` has the filters and the order of this page."""

    all: Sequence[View]
    current: View | None
    query: str

    @property
    def has_default(self) -> bool:
        return any(view.default for view in self.all)


def normalised(query: Mapping[str, Sequence[str]]) -> str:
    """One spelling for each view: names in order, several values in order."""
    return urlencode([(name, text) for name in sorted(query) for text in sorted(query[name])])


def of(listing: str, query: Mapping[str, Sequence[str]]) -> Views:
    """The views of this list that the person of this request may open."""
    text = normalised(query)
    found = _seen(listing)
    return Views(found, next((view for view in found if view.query == text), None), text)


def default(listing: str) -> View | None:
    """The view that this person's list opens with."""
    return next((view for view in _seen(listing) if view.default), None)


def _seen(listing: str) -> list[View]:
    """Asked once in a request, for the redirection as well as for the tabs; the names of staff,
    which many lists show, come with the same question."""
    known: dict[str, list[View]] = g.setdefault("saved_views", {})
    if listing not in known:
        names = select(Staff.id, Staff.name, *_NO_VIEW).limit(NAMES_MAX)
        rows = db.session.execute(_visible(SavedView.list == listing).union_all(names)).all()
        g.staff_names = {row.id: row.name for row in rows if row.list is None}
        known[listing] = [_view(row) for row in rows if row.list is not None]
    return known[listing]


def load(view_id: str) -> View | None:
    """None for a view that does not exist, and for the private one of somebody else."""
    row = db.session.execute(_visible(SavedView.id == view_id)).one_or_none()
    return None if row is None else _view(row)


_NO_VIEW: Final = (
    null().label("list"),
    null().label("query"),
    null().label("owner_id"),
    null().label("shared"),
    null().label("is_default"),
)
"""In the columns of a view, for a row that is none."""


def _visible(which: ColumnElement[bool]) -> Select[Any]:
    """Own views first, each kind in the order in which they were made."""
    me = g.staff.id
    mine = SavedView.owner_id == me
    chosen = and_(DefaultView.view_id == SavedView.id, DefaultView.staff_id == me)
    found = (
        select(
            SavedView.id,
            SavedView.name,
            SavedView.list,
            SavedView.query,
            SavedView.owner_id,
            SavedView.shared,
            DefaultView.view_id.is_not(None).label("is_default"),
        )
        .outerjoin(DefaultView, chosen)
        .where(which, or_(mine, SavedView.shared))
        .order_by(mine.desc(), SavedView.created_at, SavedView.id)
        .limit(VIEWS_MAX + SHARED_MAX)
        .subquery()
    )
    return select(found)


def _view(row: Row[Any]) -> View:
    return View(
        id=row.id,
        listing=row.list,
        name=row.name,
        query=row.query,
        shared=row.shared,
        own=row.owner_id == g.staff.id,
        default=row.is_default,
    )


def save(listing: str, name: str, query: str, *, shared: bool) -> str:
    """A new view of this person; its id. Raises Refused when the name is taken or there are too
    many already."""
    me = g.staff.id
    # Two requests at once must not both see the last free place.
    db.session.execute(select(Staff.id).where(Staff.id == me).with_for_update())
    own = select(func.count()).select_from(SavedView).where(SavedView.owner_id == me)
    if db.session.execute(own).scalar_one() >= VIEWS_MAX:
        db.session.rollback()
        raise Refused("You keep %(count)s views already. Delete one first.", count=VIEWS_MAX)
    added = db.session.execute(
        insert(SavedView)
        .values(id=str(uuid4()), list=listing, owner_id=me, name=name, query=query, shared=shared)
        .on_conflict_do_nothing()
        .returning(SavedView.id)
    ).scalar_one_or_none()
    db.session.commit()
    if added is None:
        raise Refused("You have a view of this name already.")
    return str(added)


def change(view: View, name: str, *, shared: bool) -> None:
    """Raises Refused when the name is taken. A view that is shared no longer opens for others."""
    try:
        db.session.execute(
            update(SavedView).where(SavedView.id == view.id).values(name=name, shared=shared)
        )
        if not shared:
            others = and_(DefaultView.view_id == view.id, DefaultView.staff_id != g.staff.id)
            db.session.execute(delete(DefaultView).where(others))
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        raise Refused("You have a view of this name already.") from None


def refilter(view: View, query: str) -> None:
    """Other filters and another order under the same name."""
    db.session.execute(update(SavedView).where(SavedView.id == view.id).values(query=query))
    db.session.commit()


def remove(view: View) -> None:
    db.session.execute(delete(SavedView).where(SavedView.id == view.id))
    db.session.commit()


def open_with(view: View, *, chosen: bool) -> None:
    """The list of this person opens with the view, or with everything again."""
    mine = and_(DefaultView.staff_id == g.staff.id, DefaultView.list == view.listing)
    db.session.execute(delete(DefaultView).where(mine))
    if chosen:
        db.session.execute(
            insert(DefaultView)
            .values(staff_id=g.staff.id, list=view.listing, view_id=view.id)
            .on_conflict_do_nothing()
        )
    db.session.commit()
