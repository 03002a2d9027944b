"""Commands of who keeps an installation: its settings, its leases, its records."""
