"""Writes the frozen list of event schemas: `python -m tests.architecture.events`. It adds new types
and versions; it never changes a version that stands there (`--thaw`, before anything is stored)."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from domain.kernel.message import Event
from domain.kernel.value import Value
from domain.registry import EVENTS

FILE = Path(__file__).with_name("events.json")
Frozen: TypeAlias = dict[str, dict[str, Any]]
_NAMES = {"str": "text", "int": "integer", "bool": "yes or no", "datetime": "instant"}


def schema(kind: type[Event]) -> dict[str, Any]:
    """Whose streams hold it, under which key its personal data is sealed, and its fields."""
    return {
        "stream": kind.prefix,
        "purpose": kind.purpose,
        "fields": _fields(kind),
    }


def _fields(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: _shape(hints[name]) for name in kind.__struct_fields__}  # type: ignore[attr-defined] # a msgspec struct


def _shape(hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return {"sealed": _shape(arguments[0])}
    if origin in (Union, UnionType):
        (kind,) = (one for one in arguments if one is not NoneType)
        return {"or nothing": _shape(kind)}
    if origin is tuple:
        return [_shape(arguments[0])]
    if origin is dict:
        return {"map": [_shape(one) for one in arguments]}
    if origin is Literal:
        return {"one of": list(arguments)}
    if issubclass(hint, StrEnum):
        return {"word": hint.__name__}
    if issubclass(hint, Value):
        return _fields(hint)
    return _NAMES.get(hint.__name__, hint.__name__)


def words() -> dict[str, list[str]]:
    """The values of every enumeration that events hold: more may come, none may go."""
    found: dict[str, list[str]] = {}

    def look(hint: Any) -> None:
        for argument in get_args(hint):
            look(argument)
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            found[hint.__name__] = [one.value for one in hint]
        elif isinstance(hint, type) and issubclass(hint, Value):
            for one in get_type_hints(hint).values():
                look(one)

    for kind in EVENTS:
        look(kind)
    return dict(sorted(found.items()))


def now() -> Frozen:
    """Every event type with its present version."""
    return {
        kind.wire(): {str(kind.schema_v): schema(kind)}
        for kind in sorted(EVENTS, key=lambda kind: kind.wire())
    }


def changed(frozen: Frozen, present: Frozen) -> list[str]:
    """What would make a stored event unreadable or silently different."""
    complaints = [f"{wire} is gone" for wire in frozen if wire not in present]
    for wire, versions in present.items():
        ((version, shape),) = versions.items()
        known = frozen.get(wire, {})
        if version not in known:
            complaints.append(f"{wire} version {version} is not frozen yet")
        elif known[version] != shape:
            complaints.append(f"{wire} version {version} changed: make it a new version")
    return complaints


def merged(frozen: Frozen, present: Frozen) -> Frozen:
    every = {wire: {**present.get(wire, {}), **frozen.get(wire, {})} for wire in frozen | present}
    return dict(sorted(every.items()))


def main(arguments: list[str]) -> None:
    thaw = arguments == ["--thaw"] or not FILE.exists()
    frozen = {} if thaw else json.loads(FILE.read_text())["events"]
    content = {"events": merged(frozen, now()), "words": words()}
    FILE.write_text(json.dumps(content, indent=1) + "\n")
    for complaint in changed(content["events"], now()):
        print(complaint)


if __name__ == "__main__":
    main(sys.argv[1:])
