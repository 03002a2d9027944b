"""What one agent sees: the callbacks of the agent's own phone, and what comes next."""
