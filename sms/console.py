"""The gateway of machines that have none: texts are printed."""

from collections.abc import Callable
from typing import Final, TextIO

from sms.gateway import Pace, Receipt


class ConsoleGateway:
    """Prints each text as one line, its number as `shown` writes it, and says that it reached nobody's phone."""

    name = "console"
    paces: Final[tuple[Pace, ...]] = ()

    def __init__(self, stream: TextIO, shown: Callable[[str], str] = str) -> None:
        self._stream, self._shown = stream, shown

    async def send(self, to: str, body: str, ref: str, line: str = "") -> Receipt:
        """Print the text; a stream that does not take it raises what streams raise."""
        line_of_it = " ".join(body.splitlines())
        by = f" by {line}" if line else ""
        self._stream.write(f"text (console, nobody's phone) to {self._shown(to)}{by}: {line_of_it}\n")
        self._stream.flush()
        return Receipt(gateway_ref=f"console:{ref}")

    def two_way(self, to: str) -> bool:  # noqa: ARG002 - the port's word
        """Nobody answers a console."""
        return False

    async def look_up(self, gateway_ref: str, line: str = "") -> None:  # noqa: ARG002 - the port's words
        """Nothing becomes of what was printed."""
        return

    def trouble(self, code: str) -> None:  # noqa: ARG002 - the port's word
        """Nothing goes wrong with what was printed."""
        return

    async def close(self) -> None:
        """It keeps no connection."""
