"""The payment service: collecting, refunding, and where the money is."""
