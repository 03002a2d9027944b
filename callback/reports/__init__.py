"""Read models: the queue, rates, the day, the week, one person, as typed values; and their pages and pictures."""
