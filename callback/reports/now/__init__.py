"""Now: what breaks next, how promises were kept today, what is open, who is at work, and what needs a person."""
