"""Adapters to payment providers, one folder each, all of one shape. They decide nothing."""
