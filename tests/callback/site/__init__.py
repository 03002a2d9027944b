"""Tests: callback/site."""
