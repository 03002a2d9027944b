"""Placing callbacks and following them, and what else a PBX is told and asked."""
