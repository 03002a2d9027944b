"""Tests: callback/operations/doctor."""
