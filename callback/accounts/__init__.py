"""Who works with the console: people with their roles, passwords and sessions."""
