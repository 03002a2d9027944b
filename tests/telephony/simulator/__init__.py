"""Tests: telephony/simulator."""
