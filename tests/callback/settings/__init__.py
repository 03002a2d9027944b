"""Tests: callback/settings."""
