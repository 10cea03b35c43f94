"""`./run docs`: writes docs/EVENTS.md from the domain's own tables and source, docs/PERMISSIONS.md
from the web app's table, docs/LICENCES.md and the bill of materials. Reads only; no server."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from config import ROOT
from domain.flows.flow import Flow
from domain.kernel.message import Event
from domain.readmodels.model import ReadModel
from domain.readmodels.registry import READMODELS
from domain.registry import DECIDERS, EVENTS, FLOWS, THINGS
from jobs import licences

DOCS: Final = ROOT / "docs"
THING_NAMES: Final[dict[str, str]] = {
    "cus": "Customer",
    "ct": "Contract",
    "rcv": "Receivable",
    "inv": "Invoice or correction",
    "man": "Mandate",
    "pay": "Payment",
    "rf": "Refund",
    "rec": "Recovery",
    "po": "Payout",
    "st": "Bank statement",
    "ln": "Bank line",
    "acc": "Bank account",
    "prv": "Payment provider",
    "cs": "Case",
}
EVENTS_HEAD: Final = """# Events

Written by `./run docs`; a test compares it with the source. Every event also has `at`, the
business time (instant, UTC). *Sealed* fields are personal data: stored encrypted under the
person's key, empty after erasure. Amounts are integer cents. *Status* shows which status of the
stream an event may follow, and which one it leads to.
"""
PERMISSIONS_HEAD: Final = """# Permissions

Written by `./run docs` from `webapp/access/permissions.py`, which every route is tied to. Amounts
and second persons are not a matter of roles alone: nobody approves a refund of their own.

"""
PRINT_PERMISSIONS: Final = (
    "from webapp.access.permissions import as_markdown; print(as_markdown(), end='')"
)


def events_page() -> str:
    sections = [EVENTS_HEAD]
    for prefix, thing in THINGS.items():
        sections.append(f"## {THING_NAMES[prefix]} (`{prefix}_…`)\n")
        sections += [_event(kind, thing.edges()) for kind in thing.events]
    return "\n".join(sections)


def permissions_page() -> str:
    """The web app prints its own table: nothing in jobs/ imports it."""
    table = subprocess.run(
        [sys.executable, "-c", PRINT_PERMISSIONS],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return PERMISSIONS_HEAD + table


def _event(kind: type[Event], edges: Iterable[tuple[str, str, str]]) -> str:
    wire = kind.wire()
    rows = {
        "Fields": ", ".join(_fields(kind)),
        "Status": ", ".join(f"{before} → {after}" for before, one, after in edges if one == wire),
        "Recorded by": ", ".join(
            f"`{command}` ({decider})" for command, decider in recorders().get(kind, ())
        ),
        "Listened to by": ", ".join(_listeners(kind)),
    }
    lines = [f"- {name}: {text}" for name, text in rows.items() if text]
    told = " ".join(inspect.cleandoc(kind.__doc__ or "").split())
    return "\n".join([f"### `{wire}` version {kind.schema_v}\n", f"{told}\n", *lines, ""])


def _fields(kind: type[Event]) -> Iterator[str]:
    hints = get_type_hints(kind, include_extras=True)
    for name in kind.__struct_fields__:
        if name != "at":
            yield f"`{name}` {type_words(hints[name])}"


_WORDS: Final = {"str": "text", "int": "integer", "bool": "yes/no", "datetime": "instant"}


def type_words(hint: Any) -> str:
    """A type for people: `text`, `date or nothing`, `list of Line`, `sealed text`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return "sealed " + type_words(arguments[0]).removesuffix(" or nothing")
    if origin in (Union, UnionType):
        return " or ".join("nothing" if one is NoneType else type_words(one) for one in arguments)
    if origin is tuple:
        return f"list of {type_words(arguments[0])}"
    if origin is dict:
        return "map"
    if origin is Literal:
        return " or ".join(f"`{one}`" for one in arguments)
    name: str = hint.__name__
    return _WORDS.get(name, name)


@cache
def recorders() -> dict[type[Event], list[tuple[str, str]]]:
    """Event -> (command, decider): which decision makes it, found in the source of the deciders."""
    found: dict[type[Event], list[tuple[str, str]]] = {}
    for command, decider in DECIDERS.items():
        decide = inspect.getclosurevars(decider).nonlocals.get("decide", decider)
        module = decide.__module__.removeprefix("domain.").replace(".", "/")
        for kind in EVENTS:
            if kind in made_by(decide):
                found.setdefault(kind, []).append(
                    (command.__name__, f"{module}.py {decide.__name__}")
                )
    return found


@cache
def made_by(function: Callable[..., object]) -> frozenset[type[Event]]:
    """The events whose making stands in a function, or in the functions of ours that it calls."""
    made: set[type[Event]] = set()
    for node in ast.walk(_source(function)):
        if isinstance(node, ast.Call):
            called = _meaning(node.func, function)
            if isinstance(called, type) and called in EVENTS:
                made.add(called)
            elif _is_ours(called) and called is not function:
                made |= made_by(called)
    return frozenset(made)


def _listeners(kind: type[Event]) -> Iterator[str]:
    for flow in FLOWS:
        if kind.prefix in flow.watches and kind in heard_by_flow(flow):
            yield f"flow {flow.name}"
    for model in READMODELS:
        if kind in heard_by_model(model):
            yield f"read model {model.name}"


@cache
def heard_by_flow(flow: Flow) -> frozenset[type[Event]]:
    return frozenset(kind for kind in _matched(flow.react) if kind in EVENTS)


@cache
def heard_by_model(model: ReadModel) -> frozenset[type[Event]]:
    """A projection without a `match` takes every event; a base class stands for its kinds."""
    matched = _matched(model.project)
    if not matched:
        return frozenset(EVENTS)
    return frozenset(kind for kind in EVENTS if issubclass(kind, tuple(matched)))


@cache
def _matched(function: Callable[..., object]) -> frozenset[type[Event]]:
    """The event classes that a function answers in a `match`, also in functions it calls."""
    found: set[type[Event]] = set()
    for node in ast.walk(_source(function)):
        if isinstance(node, ast.match_case) and not isinstance(node.body[0], ast.Pass):
            for pattern in _of_the_event(node.pattern):
                kind = _meaning(pattern.cls, function)
                if isinstance(kind, type) and issubclass(kind, Event):
                    found.add(kind)
        elif isinstance(node, ast.Call):
            called = _meaning(node.func, function)
            if _is_ours(called) and called is not function:
                found |= _matched(called)
    return frozenset(found)


def _of_the_event(pattern: ast.pattern) -> Iterator[ast.MatchClass]:
    """`case A() | B() as event, State(...)`: A and B, nothing of the state beside them."""
    match pattern:
        case ast.MatchSequence(patterns=[event, *_]):
            yield from _of_the_event(event)
        case ast.MatchOr(patterns=patterns):
            for one in patterns:
                yield from _of_the_event(one)
        case ast.MatchAs(pattern=ast.pattern() as inner):
            yield from _of_the_event(inner)
        case ast.MatchClass():
            yield pattern
        case _:
            return


def _is_ours(called: Any) -> bool:
    return inspect.isfunction(called) and called.__module__.startswith("domain.")


@cache
def _source(function: Callable[..., object]) -> ast.Module:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def _meaning(expression: ast.expr, function: Callable[..., object]) -> Any:
    """What a name, or a name in a module, stands for in the module of the function."""
    match expression:
        case ast.Name(id=name):
            return function.__globals__.get(name)
        case ast.Attribute(value=value, attr=name):
            return getattr(_meaning(value, function), name, None)
        case _:
            return None


def main() -> None:
    DOCS.mkdir(exist_ok=True)
    pages = {
        "EVENTS.md": events_page(),
        "PERMISSIONS.md": permissions_page(),
        "LICENCES.md": licences.page(),
        "sbom.cdx.json": licences.bill_of_materials(),
    }
    for name, page in pages.items():
        (DOCS / name).write_text(page)
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
