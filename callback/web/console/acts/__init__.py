"""What is decided on a page: its form is read, and what came of it is told."""
