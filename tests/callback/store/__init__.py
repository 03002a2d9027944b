"""Tests: callback/store."""
