"""Everything that waits, retries, talks to the outside or renders. Decides nothing."""
