"""Tests: telephony/dialling."""
