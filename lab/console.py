"""The lab's own hand on its Asterisk: a plain, blocking AMI session, independent of the service's own."""

import socket
import time
from typing import Self

from lab.errors import LabError

Reply = dict[str, str]


class Console:
    """A session of one user; every wait has a time-out, and `LabError` says what did not come."""

    def __init__(self, port: int, username: str, secret: str, *, timeout_s: float = 20) -> None:
        self._timeout_s = timeout_s
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._rest = b""
        self._count = 0
        self._line()  # the banner
        reply = self.action("Login", Username=username, Secret=secret)[0]
        if reply.get("Response") != "Success":
            self.close()
            raise LabError(f"AMI on port {port} refuses {username}: {reply.get('Message')} It may not be ours.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up the session."""
        self._socket.close()

    def action(self, name: str, **headers: str) -> list[Reply]:
        """Ask for something: the response, then the events that belong to it.

        A header that comes several times, such as Output, has its values joined by newlines.
        """
        self._count += 1
        wanted = f"lab-{self._count}"
        lines = [
            f"Action: {name}",
            f"ActionID: {wanted}",
            *(f"{key}: {value}" for key, value in headers.items()),
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        deadline = time.monotonic() + self._timeout_s
        replies = [self._answer_to(wanted, deadline)]
        if replies[0].get("EventList") == "start":
            while replies[-1].get("EventList") != "Complete":
                replies.append(self._answer_to(wanted, deadline))
        return replies

    def wait_event(self, name: str, timeout_s: float = 20) -> Reply:
        """Wait for an event of this name."""
        deadline = time.monotonic() + timeout_s
        while True:
            message = self.next_event(deadline - time.monotonic())
            if message.get("Event") == name:
                return message

    def next_event(self, timeout_s: float = 20) -> Reply:
        """Wait for whatever comes next."""
        return self._message(time.monotonic() + timeout_s)

    def next_raw(self, timeout_s: float = 20) -> bytes:
        """Wait for whatever comes next, and give it as it was sent, less the empty line."""
        return self._bytes_until(b"\r\n\r\n", time.monotonic() + timeout_s)

    def _answer_to(self, wanted: str, deadline: float) -> Reply:
        while True:
            message = self._message(deadline)
            if message.get("ActionID") == wanted:
                return message

    def _message(self, deadline: float) -> Reply:
        message: Reply = {}
        for line in self._bytes_until(b"\r\n\r\n", deadline).decode("utf-8", "replace").split("\r\n"):
            name, _, value = line.partition(":")
            value = value.strip()
            message[name] = f"{message[name]}\n{value}" if name in message else value
        return message

    def _line(self) -> bytes:
        return self._bytes_until(b"\r\n", time.monotonic() + self._timeout_s)

    def _bytes_until(self, end: bytes, deadline: float) -> bytes:
        while end not in self._rest:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self._socket.recv(65536)
            except TimeoutError as error:
                raise LabError(f"Asterisk did not answer within {self._timeout_s} s.") from error
            if not data:
                raise LabError("Asterisk closed the AMI session.")
            self._rest += data
        found, _, self._rest = self._rest.partition(end)
        return found
