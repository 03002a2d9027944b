"""Tests: callback/operations."""
