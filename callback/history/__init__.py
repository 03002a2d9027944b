"""Past calls: read from queue_logs, kept in the database, counted for reports and forecasts."""
