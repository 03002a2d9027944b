"""What can go wrong in the application, a sentence each."""


class CallbackError(Exception):
    """Something the operator can mend; the message says what is wrong and how."""


class SettingsError(CallbackError):
    """The settings are faulty; every fault is listed with its file, line and key."""

    def __init__(self, source: str, faults: list[str]) -> None:
        self.faults = faults
        count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(f"{source}: {count} in the settings\n" + "\n".join(f"  {fault}" for fault in faults))


class IllegalTransition(CallbackError):
    """An event met a reservation in a state that does not know it; nothing was changed."""


class StoreError(CallbackError):
    """The database cannot be used as it is; the message names the remedy."""


class StoreAway(StoreError):
    """The database cannot be used now, and this passes without a change of the settings: it is away, locked or full."""


class Contended(StoreAway):
    """Other transactions were in the way of this one; nothing of it was written, and once more it may well succeed."""


class NotOurs(CallbackError):
    """The lease of this PBX has passed to another process; what was being written is given up."""
