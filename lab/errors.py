"""What can go wrong in the lab: one base class, a sentence each."""


class LabError(Exception):
    """The lab cannot do what was asked; the sentence says what is missing and the remedy."""


class NoAsterisk(LabError):
    """No Asterisk can be had on this machine."""


class PhoneError(LabError):
    """A phone of the lab did not see what it was told to wait for."""
