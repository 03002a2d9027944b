"""This process as one of several: its turns, and that it lives."""
