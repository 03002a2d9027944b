"""Tests: callback/reservations."""
