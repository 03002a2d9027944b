"""What follows for the roster: agents needed, hints and their evidence, shifts, and the advice of the day."""
