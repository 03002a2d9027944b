"""What people decide about cases."""
