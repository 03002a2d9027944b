"""Tests mirror the packages; what crosses them stands beside."""
