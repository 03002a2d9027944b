"""Tests: callback/cli."""
