"""The database: its tables and migrations, transactions, and what all rooms keep: the audit, the feed, keys, leases."""
