"""The queue_log as a second witness."""
