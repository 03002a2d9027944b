"""Tests: telephony/calls."""
