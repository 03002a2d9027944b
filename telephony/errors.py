"""What this package raises."""


class TelephonyError(Exception):
    """Something about the PBX, its stream or a call went wrong; the sentence names it and the remedy."""


class NotLevel(TelephonyError):
    """What was read is not all digested, and will not be: who listened has ended."""
