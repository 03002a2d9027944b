"""Settings: wiring and secrets, the texts' part, the shift rules, and their reference."""
