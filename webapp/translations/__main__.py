"""Brings the catalogues up to date and lists what they still lack; exit 1 then."""

from __future__ import annotations

import sys

from webapp.translations import CATALOGUES, collect, problems, update


def main() -> int:
    source, wrong = collect(), 0
    for language in CATALOGUES:
        found = problems(update(language), source)
        wrong += len(found)
        print(*(f"{language}: {one}" for one in found), sep="\n", file=sys.stderr)
        print(f"{language}: {len(source)} texts, {len(found)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
