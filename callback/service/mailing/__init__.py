"""Letters to departments leave by mail, beside all other work."""
