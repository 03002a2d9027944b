"""Commands about care: cases of customers who are not content, and flags for a later contact."""
