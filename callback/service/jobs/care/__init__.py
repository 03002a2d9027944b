"""Jobs of care: what is due for customers who are not content, or are to be contacted later."""
