"""The invoice service: what customers owe, and the documents that say so."""
