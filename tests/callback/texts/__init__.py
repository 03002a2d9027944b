"""Tests: callback/texts."""
