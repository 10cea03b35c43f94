"""The message ids in our source: the first argument of every refusal, found without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from config import ROOT
from tests.architecture.source import tree

REFUSALS = ("Refused", "StatementRefused")


def refusals(paths: Iterable[Path]) -> Iterator[tuple[str, ast.expr | None]]:
    """Where a refusal is made, and what its message is made of."""
    for path in paths:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and _name(node.func) in REFUSALS:
                where = f"{path.relative_to(ROOT)}:{node.lineno}"
                yield where, node.args[0] if node.args else None


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def text_of(message: ast.expr | None) -> str | None:
    """The literal; None for anything that is put together when it runs."""
    match message:
        case ast.Constant(value=str(text)):
            return text
        case _:
            return None
