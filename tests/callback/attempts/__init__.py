"""Tests: callback/attempts."""
