"""Campaigns as they are read: before they start, while they run, and afterwards."""
