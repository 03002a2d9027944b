"""The agent's page: what is live on it."""
