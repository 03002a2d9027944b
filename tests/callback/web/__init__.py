"""Tests: callback/web."""
