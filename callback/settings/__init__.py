"""Settings: wiring and secrets, the texts' part, the site's rules, and their reference."""
