"""Tests: callback/decisions."""
