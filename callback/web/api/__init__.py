"""The JSON API at /api/v1: what programs of the call centre ask, decide and hear. It knows nothing of the console."""
