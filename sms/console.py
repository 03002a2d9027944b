"""The gateway of machines that have none: texts are printed."""

from typing import TextIO

from sms.gateway import Receipt


class ConsoleGateway:
    """Prints each text as one line, and says that it reached nobody's phone."""

    name = "console"

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def send(self, to: str, body: str, ref: str) -> Receipt:
        """Print the text; a stream that does not take it raises what streams raise."""
        line = " ".join(body.splitlines())
        self._stream.write(f"text (console, nobody's phone) to {to}: {line}\n")
        self._stream.flush()
        return Receipt(gateway_ref=f"console:{ref}")
