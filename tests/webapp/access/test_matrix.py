"""Every route, role and method of the app against the one table of what it must answer."""

from __future__ import annotations

import json
import os
from itertools import cycle
from pathlib import Path

import pytest

from bench.access import REPORT
from tests.webapp.access.expected import (
    FILE,
    METHODS,
    WHO,
    NoOutcome,
    as_text,
    in_file,
    matrix,
    rules,
)
from tests.webapp.access.outcomes import FORBIDDEN, NOT_ALLOWED, WRITES
from tests.webapp.access.world import World
from webapp.access.permissions import ACTS, Act, Role

ANEW = "on purpose? then: python -m tests.webapp.access.expected"


def knock_everywhere(world: World, *, everybody: bool = False) -> tuple[int, list[str]]:
    """How many cells were tried, and those that answered something else. A method that an address
    does not take is refused by the router, which knows nobody, and HEAD is GET without its body:
    one person in turn asks for them here, `everybody` in the measurement (`./run bench access`)."""
    known = rules(world.app)
    turns = cycle(WHO)
    tried, wrong = 0, []
    # Looks first: a write may use up what the look is about.
    for method in METHODS:
        for route, cells in in_file().items():
            if not route.startswith(f"{method} "):
                continue
            rule = known[route.partition(" ")[2]]
            alike = method == "HEAD" or set(cells.values()) == {NOT_ALLOWED}
            for who in [next(turns)] if alike and not everybody else cells:
                # Whether a refusal is drawn as a page or a toast is no matter of access.
                small = cells[who] in (FORBIDDEN, NOT_ALLOWED)
                got = world.knock(who, method, rule, htmx=small).status_code
                tried += 1
                if got != cells[who]:
                    wrong.append(f"{who}: {route} answered {got}, not {cells[who]}")
    return tried, wrong


def test_no_route_role_or_method_is_missing_from_the_table(world: World) -> None:
    table = in_file()
    assert as_text(table) == FILE.read_text()
    assert table == matrix(world.app), ANEW
    paths = {rule.rule for rule in world.app.url_map.iter_rules()}
    assert set(table) == {f"{method} {path}" for path in paths for method in METHODS}
    assert all(set(WHO) <= set(cells) for cells in table.values())


def test_every_cell_answers_what_the_table_says(world: World) -> None:
    file = os.environ.get(REPORT, "")
    tried, wrong = knock_everywhere(world, everybody=bool(file))
    if file:
        cells = sum(len(row) for row in matrix(world.app).values())
        numbers = {"routes": len(rules(world.app)), "cells": cells, "cells_tested": tried}
        Path(file).write_text(json.dumps({**numbers, "deviations": len(wrong)}))
    assert wrong == []
    assert tried > len(in_file())


def test_a_right_that_is_given_away_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The protection switched off: the table made anew differs, and so does the answer."""
    row = ACTS["staff.manage"]
    monkeypatch.setitem(ACTS, "staff.manage", Act(row.what, frozenset(Role)))
    assert matrix(world.app) != in_file()
    got = world.knock(Role.SUPPORT, "GET", rules(world.app)["/staff"]).status_code
    assert got != in_file()["GET /staff"][Role.SUPPORT]


def test_a_write_that_nobody_described_stops_the_table(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(WRITES, "/staff/new")
    with pytest.raises(NoOutcome, match="POST /staff/new"):
        matrix(world.app)
