"""Whether the service knows of the probe's call, asked of its API: from outside, as any program may ask."""

from __future__ import annotations

import http.client
import json
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from callback.probe.errors import NotKnown
from callback.probe.settings import Api

_ANSWER_LIMIT: Final = 1 << 20
_REMEDY: Final = "see whether the console runs; [api] token needs the scope reservations:read (`callback token list`)"


@dataclass(frozen=True, slots=True)
class Known:
    """The reservation of the probe's loss, as the API shows it."""

    reservation: int
    state: str
    why: str = ""


def known(settings: Api, since_s: float) -> Known | None:
    """Give the probe's reservation, if it was lost since then; NotKnown where the API does not say."""
    for state in ("open", "closed"):
        for row in _asked(settings, state):
            found = _known(row, since_s)
            if found is not None:
                return found
    return None


def _known(row: Any, since_s: float) -> Known | None:  # noqa: ANN401 - what came over the wire
    try:
        if datetime.fromisoformat(row["last_lost_at"]).timestamp() < since_s:
            return None
        why = row.get("why") or {}
        return Known(int(row["id"]), str(row["state"]), str(why.get("word", "")))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotKnown("the API answers otherwise than docs/api.md says", _REMEDY) from error


def _asked(settings: Api, state: str) -> list[Any]:
    query = urllib.parse.urlencode({"queue": settings.queue, "state": state, "limit": 20})
    headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
    url = f"{settings.url.rstrip('/')}/reservations?{query}"
    asked = urllib.request.Request(url, headers=headers)  # noqa: S310 - settings take http and https alone
    try:
        with urllib.request.urlopen(asked, timeout=settings.timeout_s) as answer:  # noqa: S310 - as above
            listed = json.loads(answer.read(_ANSWER_LIMIT))["items"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise NotKnown(f"the API at {settings.url} does not say what it knows ({error})", _REMEDY) from error
    return listed if isinstance(listed, list) else []
