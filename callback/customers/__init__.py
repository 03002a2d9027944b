"""Numbers and where they are: whose they are, when they may ring, who is blocked."""
