"""When: opening and quiet hours, promises, retries, order. Pure arithmetic on time, no database."""
