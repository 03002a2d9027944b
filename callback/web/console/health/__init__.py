"""Health: what the doctor found, while it looks and afterwards."""
