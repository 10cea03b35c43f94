"""Stripe: SEPA debits, refunds and payouts through the official SDK."""
