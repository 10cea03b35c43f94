"""What needs a person: cases."""
