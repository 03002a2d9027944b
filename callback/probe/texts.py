"""Whether a text went to our number, asked of the gateway's own record and not of the service."""

from __future__ import annotations

import http.client
import re
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from callback.probe.errors import NotKnown
from callback.probe.settings import Texts

State = Literal["delivered", "sent", "waiting", "failed"]
_STATES: Final[dict[str, State]] = {
    "delivered": "delivered",
    "read": "delivered",
    "sent": "sent",
    "partially_delivered": "sent",
    "failed": "failed",
    "undelivered": "failed",
    "canceled": "failed",
}
_API: Final = "https://api.twilio.com"
_CLOCKS_DIFFER: Final = timedelta(seconds=5)
_LISTED: Final = 20
_TAIL: Final = 1 << 20
"""So much of the end of a file or an answer is looked at."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that the gateway knows of: how far it came, and its error number if it failed."""

    state: State
    code: int = 0


class Watch(Protocol):
    """Looks for a text that was not there when it was made."""

    def look(self) -> Text | None:
        """Give the text that came furthest; NotKnown where the record cannot be read."""


def watch(settings: Texts, number: str, since: datetime) -> Watch | None:
    """Watch the texts to a number from now on; None where no record is named."""
    if settings.watch == "twilio":
        return _Twilio(settings, number, since)
    return None if settings.watch == "nothing" else _Log(settings, number)


class _Twilio:
    """Twilio's own list of messages to our number."""

    def __init__(self, settings: Texts, number: str, since: datetime) -> None:
        client = Client(
            settings.account_sid,
            settings.auth_token.get_secret_value(),
            http_client=_Http(settings.api_url.rstrip("/"), settings.timeout_s),
        )
        self._messages: Any = client.messages
        self._number, self._since = number, since - _CLOCKS_DIFFER

    def look(self) -> Text | None:
        """Ask for the newest ones."""
        try:
            listed = self._messages.list(to=self._number, limit=_LISTED, page_size=_LISTED)
        except (TwilioException, OSError, ValueError) as error:
            remedy = "[texts] account_sid and auth_token must be those of the account that texts; see whether it is up"
            raise NotKnown(f"Twilio's list of messages cannot be read ({_why(error)})", remedy) from error
        ours = [one for one in listed if one.direction != "inbound" and _made(one) >= self._since]
        found = [Text(_STATES.get(str(one.status), "waiting"), int(one.error_code or 0)) for one in ours]
        return min(found, key=lambda text: ("delivered", "sent", "waiting", "failed").index(text.state), default=None)


def _why(error: Exception) -> str:
    """Name the fault without what was asked for: the number stands in it."""
    answers = [part for part in error.args if hasattr(part, "status_code")]
    status = getattr(error, "status", None) or (answers[0].status_code if answers else None)
    return f"status {status}" if status else type(error).__name__


def _made(message: Any) -> datetime:  # noqa: ANN401 - the library has no types
    made = message.date_created
    return made if isinstance(made, datetime) else datetime.fromtimestamp(0, UTC)


class _Http(TwilioHttpClient):  # type: ignore[misc]  # the library has no types
    """Asks another address than Twilio's own: a region, or a test."""

    def __init__(self, api_url: str, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s)
        self._api_url = api_url

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Response:  # noqa: ANN401 - as above
        """Ask there."""
        return super().request(method, url.replace(_API, self._api_url, 1), *args, **options)


class _Log:
    """A file, or a page, in which the gateway writes what it sent: a line more than before the call is a text."""

    def __init__(self, settings: Texts, number: str) -> None:
        holds = settings.holds.replace("{number}", re.escape(number)).replace("{digits}", re.escape(number[1:]))
        self._holds, self._settings = re.compile(holds), settings
        self._before = self._count()

    def look(self) -> Text | None:
        """Count again."""
        now = self._count()
        self._before = min(self._before, now)  # the file was begun anew
        return Text("sent") if now > self._before else None

    def _count(self) -> int:
        return len(self._holds.findall(self._content()))

    def _content(self) -> str:
        settings = self._settings
        try:
            if settings.file is not None and settings.watch == "file":
                return _tail(settings.file)
            asked = urllib.request.Request(settings.url)  # noqa: S310 - settings take http and https alone
            with urllib.request.urlopen(asked, timeout=settings.timeout_s) as answer:  # noqa: S310 - as above
                return str(answer.read(_TAIL).decode(errors="replace"))
        except (OSError, http.client.HTTPException) as error:
            where = settings.file or settings.url
            raise NotKnown(f"{where} cannot be read ({error})", "[texts] must name the gateway's record") from error


def _tail(file: Path) -> str:
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _TAIL))
        return opened.read(_TAIL).decode(errors="replace")
