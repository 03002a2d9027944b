"""Making a connection to a manager: in the clear, or by TLS to who proves to be the PBX that is meant."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from telephony.ami.link import Link
from telephony.ami.tls import Tls, Untrusted, why_refused
from telephony.errors import TelephonyError


class Unreached(TelephonyError):
    """No connection came about; the sentence is the reason."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where a manager interface listens, and who logs in there."""

    host: str
    port: int
    username: str
    secret: str = field(repr=False)
    tls: Tls | None = None  # none: in the clear

    @property
    def where(self) -> str:
        """Host and port, as people write them."""
        return f"{self.host}:{self.port}"

    @property
    def silence(self) -> str:
        """What to ask where nobody greets: a manager that waits for TLS is silent, too."""
        plain = "" if self.tls else " One that waits for TLS says nothing: then set tls = true"
        return f"is an Asterisk manager on that port?{plain}"


async def connect(account: Account, new_link: Callable[[], Link], timeout_s: float) -> Link:
    """Connect, and give the link once who answers is known. Raises Unreached."""
    try:
        async with asyncio.timeout(timeout_s):
            return await (_in_the_clear(account, new_link) if account.tls is None else _by_tls(account, new_link))
    except TimeoutError:
        raise Unreached(f"no answer to connecting within {timeout_s} s") from None
    except Untrusted as error:
        raise Unreached(str(error)) from error
    except ssl.SSLError as error:
        name = account.tls.name if account.tls else ""
        raise Unreached(f"cannot connect: {why_refused(error, name or account.host)}") from error
    except OSError as error:
        raise Unreached(f"cannot connect: {error}") from error


async def _in_the_clear(account: Account, new_link: Callable[[], Link]) -> Link:
    _, link = await asyncio.get_running_loop().create_connection(new_link, account.host, account.port)
    return link


async def _by_tls(account: Account, new_link: Callable[[], Link]) -> Link:
    tls = account.tls or Tls()
    context = await asyncio.to_thread(tls.context)
    transport, link = await asyncio.get_running_loop().create_connection(
        new_link, account.host, account.port, ssl=context, server_hostname=tls.name or account.host
    )
    try:
        tls.check(transport)
    except Untrusted as error:
        link.close(str(error))
        raise
    return link
