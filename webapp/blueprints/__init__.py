"""One module per screen, named like its read model. Each exports `blueprint`; a new screen is one
line here and one in `navigation.ENTRIES`."""

MODULES = (
    "home",
    "auth",
    "language",
    "health",
    "hooks",
    "staff",
    "account",
    "work",
    "customers",
    "contracts",
    "invoices",
    "stream",
    "system",
    "payouts",
    "statements",
    "payments",
    "refunds",
    "search",
    "views",
    "exports",
)
SANDBOX_MODULES = (
    "style",
    "sandbox",
)
"""Registered in the sandbox only: in production their addresses do not exist."""
