"""Metrics and health checks over HTTP, in a process of their own: no scrape delays the service beside it."""
