"""Tests: callback/probe."""
