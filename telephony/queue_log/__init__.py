"""Asterisk's queue_log as a second source: its lines, whole or forged, and the calls in them."""
