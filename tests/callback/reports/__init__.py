"""Tests: callback/reports."""
