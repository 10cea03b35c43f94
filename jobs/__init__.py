"""Everything that waits, retries, talks to the outside or renders. Decides nothing."""

import logging

# Our programs log what Kontor does, not every request that a library makes for them.
for _library in ("httpx", "httpcore", "stripe", "alembic"):
    logging.getLogger(_library).setLevel(logging.WARNING)
