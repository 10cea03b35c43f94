"""Repeatable measurements on an embedded PostgreSQL with fsync on: `./run bench`. No tests."""
