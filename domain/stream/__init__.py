"""The event store and the one stream of updates, on psycopg alone. It decides nothing."""
