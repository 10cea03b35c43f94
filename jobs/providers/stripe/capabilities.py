"""What Stripe does for Kontor in this version, as data. Nothing here is discovered at run time."""

from typing import Final

API_VERSION: Final = "2026-10-28.endive"

# How long a key is surely replayed; past it a second call would be a second movement of money.
KEY_WINDOW_HOURS: Final = 24
# Stripe lists events this far back; a longer silence cannot be caught up by polling.
EVENTS_LISTED_DAYS: Final = 30

CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 20
# What one order may take at most; an effect's lease must be longer.
CALL_BUDGET_SECONDS: Final = CONNECT_SECONDS + READ_SECONDS

# Calls a second of all our workers together. Stripe takes 100 in live mode and answers 429 beyond;
# what a burst adds stays below it.
CALLS_PER_SECOND_MAX: Final = 100
CALLS_PER_SECOND: Final = 80
# A harmless question that only wants to know whether anybody answers.
PROBE_READ_SECONDS: Final = 5
