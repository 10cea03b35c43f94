"""Insurance plans: what is insured, what it costs and when it falls due."""
