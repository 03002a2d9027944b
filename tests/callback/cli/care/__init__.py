"""Commands about care."""
