"""What people decide about customers who are not content, each act with who and why in the audit."""
