"""`make faults`: a call centre in which one thing after another breaks, and what that lost, counted from its phones."""
