"""Tests: callback/losses."""
