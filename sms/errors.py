"""What can go wrong with texts."""


class SmsError(Exception):
    """A text, a template or a gateway is not as it must be; the message names it and the remedy."""
