"""Whether what a fake hears and says is what the public description of the real API allows.

The description is the Messages part of twilio/twilio-oai, `spec/json/twilio_api_v2010.json` (OpenAPI 3.0.1, MIT). It is
not ours: `LAB_TWILIO_OPENAPI` names the file, or it lies in `lab/data`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from openapi_core import OpenAPI
from openapi_core.contrib.aiohttp import AIOHTTPOpenAPIWebRequest, AIOHTTPOpenAPIWebResponse
from openapi_core.exceptions import OpenAPIError

from lab.errors import LabError

PLACE: Final = "LAB_TWILIO_OPENAPI"
_BESIDE: Final = Path(__file__).with_name("data") / "twilio_messages_openapi.json"
_MESSAGE: Final = "api.v2010.account.message"


class Description:
    """The description, spoken at 127.0.0.1 instead of the real host."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._openapi = OpenAPI.from_dict(_on_loopback(content))
        self._properties = set(content["components"]["schemas"][_MESSAGE]["properties"])

    @classmethod
    def load(cls) -> Description:
        """Read the file; raises `LabError` where there is none."""
        path = Path(os.environ.get(PLACE) or _BESIDE)
        if not path.is_file():
            raise LabError(f"Twilio's OpenAPI description of Messages is not there: let {PLACE} name the JSON file")
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def faults(self, request: web.Request, body: bytes, response: web.Response) -> list[str]:
        """What is wrong with a request, or with the answer to it if that grants something, a sentence each."""
        asked = AIOHTTPOpenAPIWebRequest(request, body=body)
        found = []
        try:
            self._openapi.validate_request(asked)
            if response.status < 300:  # noqa: PLR2004 - the description has no words for refusals
                self._openapi.validate_response(asked, AIOHTTPOpenAPIWebResponse(response))
                found += self._incomplete(json.loads(response.text or "null"))
        except OpenAPIError as error:
            found.append(f"{request.method} {request.path}: {error} ({error.__cause__})")
        return found

    def _incomplete(self, answer: dict[str, Any]) -> list[str]:
        """The schema requires nothing; a message has all its properties, and no others."""
        messages = answer.get("messages", [answer])
        return [f"properties differ: {odd}" for message in messages if (odd := set(message) ^ self._properties)]


def _on_loopback(part: Any) -> Any:  # noqa: ANN401 - any part of a JSON document
    if isinstance(part, dict):
        return {
            key: [{"url": "http://127.0.0.1"}] if key == "servers" else _on_loopback(value)
            for key, value in part.items()
        }
    return [_on_loopback(value) for value in part] if isinstance(part, list) else part
