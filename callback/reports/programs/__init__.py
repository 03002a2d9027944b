"""What programs ask that people do not: what happened after a place, and one number."""
