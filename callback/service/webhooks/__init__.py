"""What happens is told to programs: messages are made of the feed, and sent beside all other work."""
