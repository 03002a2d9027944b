"""What an administrator asks of an installation."""
