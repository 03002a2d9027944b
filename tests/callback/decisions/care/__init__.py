"""What people decide about customers who are not content."""
