"""What this package raises."""


class TelephonyError(Exception):
    """Something about the PBX, its stream or a call went wrong; the sentence names it and the remedy."""
