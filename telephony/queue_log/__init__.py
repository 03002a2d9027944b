"""Asterisk's queue_log as a second witness: its lines, whole or forged, and the calls that they tell of."""
