"""The database: tables, named queries, leases, migrations."""
