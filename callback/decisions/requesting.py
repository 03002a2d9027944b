"""Somebody asks for a callback that no call made: at once, or at a time that the customer chose."""

from __future__ import annotations

from callback.decisions import actions
from callback.losses import requests
from callback.losses.requests import Registered, Request
from callback.site.telling import tell
from callback.site.work import Work
from callback.store.audit import By


def register(work: Work, request: Request, by: By, at: int | None = None) -> Registered:
    """Reserve the callback, and keep in audit and feed who asked for it; one that is open already stays as it is.

    `at` is the time that the customer chose. Raises what `requests.register` and `actions.choose_slot` raise: nothing
    is reserved then.
    """
    registered = requests.register(work, request)
    if registered.made:
        tell(work, by, "register", {}, registered.reservation)
        if at is not None:
            actions.choose_slot(work, registered.reservation, at, by)
    return registered
