"""The application: reservations, and everything that brings the other three together."""
