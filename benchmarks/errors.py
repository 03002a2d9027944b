"""What goes wrong in a benchmark."""


class BenchmarkError(Exception):
    """A measurement cannot be made, or what it measured was done wrongly; the sentence says what."""
