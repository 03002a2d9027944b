"""Tests: callback/history."""
