"""What the service does again and again, each job in a module of its own."""
