"""A mail server on loopback: it keeps what it takes, and refuses what a test wants refused."""

from __future__ import annotations

import asyncio
import queue
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass(slots=True)
class Mailbox:
    """What came in; `answers` are what it says to the next letters instead of taking them."""

    port: int = 0
    letters: queue.Queue[EmailMessage] = field(default_factory=queue.Queue)
    answers: list[str] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Take a letter, or answer as the test wants."""
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)  # noqa: S101 - so it is without decode_data
        self.secured.append(server.transport is not None and server.transport.get_extra_info("sslcontext") is not None)
        self.envelopes.append((envelope.mail_from or "", list(envelope.rcpt_tos)))
        self.letters.put(message_from_bytes(envelope.content, EmailMessage, policy=policy.default))
        return "250 taken"

    def next(self, within_s: float = 20) -> EmailMessage:
        """The next letter; queue.Empty where none comes in time."""
        return self.letters.get(timeout=within_s)


class _OnAnyPort(Controller):
    def _trigger_server(self) -> None:
        """Learn the port before the controller tries it."""
        assert isinstance(self.server, asyncio.Server)  # noqa: S101 - it was started
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # aiosmtpd's


@contextmanager
def mail_server(
    login: tuple[str, str] | None = None, trust: ssl.SSLContext | None = None, *, at_once: bool = False
) -> Iterator[Mailbox]:
    """A server on a free port: with STARTTLS where it has a certificate, or TLS from the first byte (`at_once`)."""
    box = Mailbox()

    def knows(_server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, said: LoginPassword) -> AuthResult:
        known = login is not None and (said.login, said.password) == (login[0].encode(), login[1].encode())
        return AuthResult(success=known and mechanism in {"LOGIN", "PLAIN"})

    about: dict[str, Any] = (
        {"authenticator": knows, "auth_required": True} if login else {}
    )  # it lets nobody sign in in the clear
    secure: dict[str, Any] = (
        {"ssl_context": trust} if at_once else {"tls_context": trust, "require_starttls": trust is not None}
    )
    controller = _OnAnyPort(box, hostname="127.0.0.1", port=0, **secure, **about)
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()
