"""Tests: callback/service."""
