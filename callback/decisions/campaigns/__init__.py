"""What people decide about campaigns."""
