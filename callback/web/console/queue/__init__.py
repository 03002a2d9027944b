"""The queue page: what its address asks for, its live view, and what its templates show."""
