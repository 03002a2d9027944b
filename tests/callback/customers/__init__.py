"""Tests: callback/customers."""
