"""Transition tables: which fact may follow which state. A table is data that a test walks edge by
edge and that the docs print."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)


class Impossible(Exception):
    """An event that its stream cannot hold: a defect, never a business refusal."""


def step(table: Mapping[tuple[S, str], S], state: S, event: str) -> S:
    """The state after `event`. Raises Impossible where the table has no such edge."""
    try:
        return table[state, event]
    except KeyError:
        raise Impossible(f"{event} cannot follow {state}") from None
