"""Tests: callback/reports/timeline."""
