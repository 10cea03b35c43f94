"""Who we insure and who owes us: private and business customers."""
