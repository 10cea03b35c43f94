"""Sizes: what fits on a screen is read, what does not is skipped over."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.source import PRODUCT, files, functions, name, tree

FILE_LINES = 400
FUNCTION_LINES = 60
PARAMETERS = 5
# Shapes of another company's objects: one literal each, which parts would only hide.
TABLES = {"jobs/providers/stripe/simulator/shapes.py"}


def test_files_are_short() -> None:
    long = {name(path): _lines(path) for path in files(*PRODUCT, "tests")}
    assert {path: lines for path, lines in long.items() if lines > FILE_LINES} == {}


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_functions_are_short() -> None:
    long = [
        f"{name(path)} {function.name}: {(function.end_lineno or 0) - function.lineno + 1}"
        for path in files(*PRODUCT)
        if name(path) not in TABLES
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES
    ]
    assert long == []


def test_parameters_are_few_or_named() -> None:
    many = [
        f"{name(path)} {function.name}"
        for path in files(*PRODUCT)
        for function in functions(path)
        if len(_positional(function)) > PARAMETERS
    ]
    assert many == []


def _positional(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    arguments = (*function.args.posonlyargs, *function.args.args)
    return [one.arg for one in arguments if one.arg not in ("self", "cls")]


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name(path)
        for path in files(*PRODUCT, "tests")
        if path.stat().st_size and ast.get_docstring(tree(path)) is None
    ]
    assert silent == []


def test_every_match_over_events_ends_in_assert_never() -> None:
    """A new event that nobody folds must not pass unseen."""
    for path in files("domain"):
        for function in functions(path):
            if function.name.startswith("evolve"):
                matches = [node for node in ast.walk(function) if isinstance(node, ast.Match)]
                for one in matches:
                    last = ast.unparse(one.cases[-1])
                    assert "assert_never" in last or "_learn" in last, name(path)
