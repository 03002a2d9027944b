"""What is learnt from cases."""
