"""Lines of the log as JSON: one object each, its traceback inside it, with which process and what it is about."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Any, Final

from callback.logs.masking import log_to_stderr, masked_text

IDS: Final = ("call_id", "reservation", "attempt")
"""What a line may be about besides: given as `extra` where it is logged."""


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object; `about` is the same in all lines of this process."""

    def __init__(self, about: Mapping[str, str], *, full_numbers: bool) -> None:
        super().__init__()
        self._about, self._full_numbers = dict(about), full_numbers

    def format(self, record: logging.LogRecord) -> str:
        """Give the object, on one line."""
        says: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "log": record.name,
            "says": self._shown(record.getMessage()),
            **self._about,
            **{name: getattr(record, name) for name in IDS if hasattr(record, name)},
        }
        if record.exc_info:
            says["traceback"] = self._shown(self.formatException(record.exc_info))
        return json.dumps(says, ensure_ascii=True, default=lambda value: self._shown(repr(value)))

    def _shown(self, text: str) -> str:
        return text if self._full_numbers else masked_text(text)


class JsonLines(io.TextIOBase):
    """A stream whose lines are written as JSON objects to another one: for what prints lines of its own."""

    def __init__(self, stream: IO[str], log: str, about: Mapping[str, str]) -> None:
        super().__init__()
        self._stream, self._log, self._about = stream, log, dict(about)

    def write(self, text: str) -> int:
        """Write each line of it; a number stands there as its writer shows it."""
        for line in text.splitlines():
            time = datetime.now(UTC).isoformat(timespec="milliseconds")
            says = {"time": time, "level": "info", "log": self._log, "says": line, **self._about}
            self._stream.write(json.dumps(says) + "\n")
        return len(text)

    def flush(self) -> None:
        """Have it written."""
        self._stream.flush()


def log_as_json(about: Mapping[str, str], *, full_numbers: bool) -> None:
    """Log to standard error as JSON from now on, also what nobody caught, in whatever thread."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(about, full_numbers=full_numbers))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _ended
    threading.excepthook = _ended_thread


def log_as(form: str, about: Mapping[str, str], *, full_numbers: bool) -> None:
    """Log to standard error in that form, text or json."""
    if form == "json":
        log_as_json(about, full_numbers=full_numbers)
    else:
        log_to_stderr(full_numbers=full_numbers)


def is_json() -> bool:
    """Whether this process logs as JSON."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("callback").critical("the process ends: nobody foresaw this", exc_info=(kind, error, trace))


def _ended_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not issubclass(ended.exc_type, SystemExit):
        facts = (ended.exc_type, ended.exc_value, ended.exc_traceback)
        logging.getLogger("callback").error("a thread ended: nobody foresaw this", exc_info=facts)
