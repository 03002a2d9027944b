"""Pages about customers who are not content: cases, flags for a later day, and how to speak with a customer."""
