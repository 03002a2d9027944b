"""A day of a large centre: its calls, the services that listen to it, what it came to, and a peer of the same calls."""
