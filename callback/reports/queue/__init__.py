"""The callback queue for people: what is owed to whom, by when, why nobody has called yet, and what would help."""
