"""Events put together as calls, and judged. Pure."""
