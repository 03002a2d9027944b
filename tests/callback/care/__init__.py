"""Care: customers who are not content, and those who are to be contacted later."""
