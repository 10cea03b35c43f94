"""Gap-free document numbers: one series per kind and Berlin year (I1). The next number is taken
inside the transaction that issues the document, so a refusal leaves no gap."""

from datetime import date


def series(kind: str, on: date) -> str:
    """`B2C-2026`; kinds are B2C (invoices), KOR (corrections), STO (cancellations)."""
    return f"{kind}-{on.year}"


def number(of_series: str, count: int) -> str:
    """`B2C-2026-000001`."""
    return f"{of_series}-{count:06d}"
