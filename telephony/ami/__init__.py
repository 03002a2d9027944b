"""The Asterisk Manager Interface: bytes, messages, one connection."""
