"""Past calls: read from logs, kept, counted."""
