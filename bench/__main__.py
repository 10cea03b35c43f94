"""`./run bench [name …]`: runs every module here that has a `main`, and says which limits hold. It
judges nobody: a slow machine is no failure."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def found() -> list[str]:
    """The measurements beside this file, by name; helpers have no `main`."""
    names = (module.name for module in pkgutil.iter_modules(bench.__path__))
    return [
        name
        for name in names
        if name != "__main__" and hasattr(importlib.import_module(f"bench.{name}"), "main")
    ]


def main(wanted: list[str]) -> int:
    names = found()
    if unknown := set(wanted) - set(names):
        print(f"no such bench: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
        return 2
    missed = []
    for name in wanted or names:
        result = importlib.import_module(f"bench.{name}").main()
        if not result.get("met", True):
            missed.append(name)
    print(f"missed: {', '.join(missed)}" if missed else "every limit holds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
