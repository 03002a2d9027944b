"""Tests: telephony/listening."""
