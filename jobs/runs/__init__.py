"""Bulk work: readers of files and runs over many things. Nothing here decides."""
