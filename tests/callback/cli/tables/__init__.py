"""Tests: callback/cli/tables."""
