"""A decision is the same every time: what imports cannot show about clocks, chance and settings."""

from __future__ import annotations

import ast

from tests.architecture.source import DECIDING, dotted, files, imports, name, tree

MODULES = files(*(f"domain/{folder}" for folder in DECIDING))
FORBIDDEN = {
    "datetime.now",
    "datetime.datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "datetime.date.today",
    "uuid1",
    "uuid4",
    "uuid.uuid1",
    "uuid.uuid4",
    "open",
    "print",
    "input",
}
UNWANTED = {"random", "secrets", "time", "os", "subprocess", "socket", "threading", "asyncio"}


def test_nothing_asks_a_clock_or_throws_dice() -> None:
    found = [
        f"{name(path)}:{node.lineno} {dotted(node.func)}"
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and dotted(node.func) in FORBIDDEN
    ]
    assert found == []


def test_nothing_reaches_outside() -> None:
    found = [
        f"{name(path)} imports {module}"
        for path in MODULES
        for module in imports(path)
        if module.partition(".")[0] in UNWANTED
    ]
    assert found == []


def test_nothing_remembers_between_two_decisions() -> None:
    """No `global`, and no module-level list or set that a function could fill."""
    remembering = [
        f"{name(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Global | ast.Nonlocal)
    ]
    mutable = [
        f"{name(path)}:{node.lineno}"
        for path in MODULES
        for node in tree(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.List | ast.Set | ast.ListComp | ast.SetComp)
    ]
    assert remembering + mutable == []


def test_money_is_never_a_float() -> None:
    """RELIABILITY 3: amounts are integers of cents; no float constant, no true division."""
    found = [
        f"{name(path)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
        or (isinstance(node, ast.Name) and node.id in ("float", "Decimal"))
    ]
    assert found == []
