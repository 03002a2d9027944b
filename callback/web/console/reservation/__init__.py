"""The page of one reservation: what its templates show, its live view, and the way to the one before and after it."""
