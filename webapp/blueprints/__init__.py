"""One module per screen, named like its read model. Each exports `blueprint`; a new screen is one
line here and one in `navigation.ENTRIES`."""

MODULES = (
    "home",
    "auth",
    "health",
    "hooks",
    "staff",
    "work",
    "invoices",
    "stream",
    "payouts",
    "statements",
    "payments",
    "refunds",
    "search",
)
SANDBOX_MODULES = (
    "style",
    "sandbox",
)
"""Registered in the sandbox only: in production their addresses do not exist."""
