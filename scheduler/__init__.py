"""The rules of time: opening and quiet hours, promises, retries, order, staffing. Pure, no database."""
