"""What the service tells of itself: to whoever watches it, and of troubles that last."""
