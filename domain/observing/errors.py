"""What may be kept of an error in a table, where it stays: our own words, and of everybody else's
error its class and its place. Drivers and SDKs repeat rows and bodies, and people are in those."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Final

from domain.observing import logs

OURS: Final = ("domain.", "jobs.")
"""Exceptions declared here say what we wrote; where one would repeat a foreign text, it takes what
`kept` says of it instead."""
CHARS_MAX: Final = 2_000
"""A longer one is a dump, not a reason."""

_ROOT: Final = Path(__file__).parents[2]
_INSTALLED: Final = "site-packages"


def kept(error: BaseException) -> str:
    """Effects, parked streams, quarantine: whoever writes an error down asks here."""
    kind = type(error)
    if not f"{kind.__module__}.".startswith(OURS):
        return _class_and_place(error)
    said = str(error)
    if isinstance(getattr(error, "message", None), str):
        return logs.clean(said)[:CHARS_MAX]  # a refusal: the sentence says it all
    name = kind.__qualname__
    return logs.clean(f"{name}: {said}" if said else name)[:CHARS_MAX]


def _class_and_place(error: BaseException) -> str:
    kind = type(error)
    name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    diag = getattr(error, "diag", None)  # PostgreSQL's: the names in it are those of our schema
    about = getattr(diag, "constraint_name", None) or getattr(diag, "table_name", None)
    return " ".join([name, *([f"({about})"] if about else []), *_place(error)])


def _place(error: BaseException) -> list[str]:
    """`at module:line`, the innermost of ours."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_ROOT) and _INSTALLED not in path.parts:
            module = path.relative_to(_ROOT).with_suffix("").as_posix().replace("/", ".")
            return [f"at {module}:{line}"]
    return []
