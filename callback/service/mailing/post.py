"""One conversation with a mail server: a letter is taken, refused for good, or not taken now."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final, Literal

from callback.logs.printable import printable
from callback.settings.mail import Mail

_FOR_GOOD: Final = 500
_ROOM: Final = 300


@dataclass(frozen=True, slots=True)
class Mailed:
    """What became of a letter, and what the server said where it was not taken."""

    state: Literal["sent", "refused", "later"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A letter as a mail: `ref` makes the same Message-ID of each try, so that one that comes twice is seen to."""

    ref: str
    address: str
    subject: str
    body: str


def send(mail: Mail, letter: Envelope) -> Mailed:
    """Hand a letter to the server. It blocks, at most eight times `timeout_s`; what the network does is no error."""
    try:
        with _connected(mail) as server:
            if mail.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if mail.user:
                server.login(mail.user, mail.password)
            server.send_message(_message(mail, letter))
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        return _refused(code, said)
    except smtplib.SMTPResponseException as error:  # its sign-in failed, too: that may be mended
        for_good = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
        return _refused(error.smtp_code if for_good else 0, error.smtp_error)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return Mailed("later", _plain(str(error) or type(error).__name__))
    return Mailed("sent")


def _connected(mail: Mail) -> smtplib.SMTP:
    if mail.security == "tls":
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=mail.timeout_s, context=ssl.create_default_context())
    return smtplib.SMTP(mail.host, mail.port, timeout=mail.timeout_s)


def _message(mail: Mail, letter: Envelope) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = mail.from_, letter.address, letter.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{letter.ref}@{mail.from_.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.body)
    return message


def _refused(code: int, said: bytes | str) -> Mailed:
    told = _plain(said.decode("utf-8", "replace") if isinstance(said, bytes) else said)
    return Mailed("refused" if code >= _FOR_GOOD else "later", f"{code} {told}" if code else told)


def _plain(said: str) -> str:
    return printable(" ".join(said.split()))[:_ROOM]
