"""Customers who are not content, as people look at them: their cases, flags and notes."""
