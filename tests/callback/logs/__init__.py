"""Tests: callback/logs."""
