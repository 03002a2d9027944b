"""Jobs of care."""
