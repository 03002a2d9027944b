"""Tests: callback/reports/pages."""
