"""The manager: bytes, messages, one connection."""
