"""How messages are signed, by Standard Webhooks 1.0.0: HMAC-SHA256 over id, time and body, one for each good secret.

No secret is stored: it is made of the site's key and a seed that stands beside the endpoint.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from callback.store.keys import site_key

PREFIX: Final = "whsec_"


def seed() -> str:
    """Give what another secret is made of."""
    return secrets.token_hex(16)


def key_of(connection: Connection, seed: str) -> bytes:
    """Give the 32 bytes that a seed stands for."""
    return hmac.digest(site_key(connection, "webhooks"), seed.encode(), "sha256")


def shown(key: bytes) -> str:
    """Give a secret as the receiver is told it."""
    return PREFIX + b64encode(key).decode()


def headers(keys: Sequence[bytes], message: str, at_s: int, body: bytes) -> dict[str, str]:
    """Give the headers of a message that is sent at that second; the newest key comes first."""
    signed = f"{message}.{at_s}.".encode() + body
    signatures = (b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }
