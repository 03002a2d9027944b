"""Commands, and what they print for people: the only room that knows the terminal."""
