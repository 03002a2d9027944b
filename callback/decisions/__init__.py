"""Decisions of people and customers about reservations and numbers: each one transaction, audited."""
