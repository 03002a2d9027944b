"""Where the next rows of a list begin, sealed: what comes back is what we gave, for the same list and filter."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import astuple
from typing import Any, Final

from callback.errors import CallbackError
from callback.reports.queue.closed import Ended
from callback.reports.queue.lanes import Place
from callback.site.work import Work
from callback.store import keys
from callback.web.console.queue.asked import USUAL, Asked
from scheduler.clock import DAY

LASTS: Final = DAY
_SEAL: Final = 16


class StaleCursor(CallbackError):
    """The place is none of this list, or is too old: the list begins again."""

    def __init__(self) -> None:
        super().__init__("the list was left too long ago, or is another one: begin at its first rows again")


def sealed(work: Work, place: Place | Ended, of: str, asked: Asked) -> str:
    """Give the place of a list as it stands in an address."""
    return _sealed(work, astuple(place), of, asked)


def opened(work: Work, said: str, of: str, asked: Asked) -> Place:
    """Give the place that was sealed for this list. StaleCursor where it was not, or more than a day ago."""
    return Place(*_body(work, said, of, asked))


def opened_closed(work: Work, said: str, of: str, asked: Asked) -> Ended:
    """The same of a list of closed reservations."""
    return Ended(*_body(work, said, of, asked))


def sealed_plain(work: Work, place: tuple[int | str, ...], of: str) -> str:
    """Give the place of a list without filters: what it is sorted by, and what tells those apart that are alike."""
    return _sealed(work, place, of, Asked())


def opened_plain(work: Work, said: str, of: str) -> Any:  # noqa: ANN401 - as it was sealed
    """Give that place. StaleCursor as above."""
    return tuple(_body(work, said, of, Asked()))


def _sealed(work: Work, place: tuple[Any, ...], of: str, asked: Asked) -> str:
    body = json.dumps([work.now + LASTS, *place], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(work, body, of, asked) + body).decode().rstrip("=")


def _body(work: Work, said: str, of: str, asked: Asked) -> list[Any]:
    try:
        whole = base64.b64decode(said + "=" * (-len(said) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise StaleCursor from error
    seal, body = whole[:_SEAL], whole[_SEAL:]
    if not hmac.compare_digest(seal, _seal(work, body, of, asked)):
        raise StaleCursor
    until_at, *place = json.loads(body)
    if work.now > until_at:
        raise StaleCursor
    return list(place)


def _seal(work: Work, body: bytes, of: str, asked: Asked) -> bytes:
    about = f"{of}\0{asked.query(after='', all=False, columns=USUAL)}\0".encode()
    return hmac.digest(keys.site_key(work.connection, "list cursor"), about + body, "sha256")[:_SEAL]
