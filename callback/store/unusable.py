"""Why a database cannot be used, by its own word: a sentence with the remedy, and whether it passes by itself."""

from __future__ import annotations

from typing import Final

from sqlalchemy.exc import DBAPIError, ProgrammingError

from callback.errors import Contended, StoreAway, StoreError

_START: Final = "start the server, or mend [database] url where it never answered"
_ROOM: Final = "make room on that disk: nothing is lost meanwhile, and what was heard is committed then"
_AGAIN: Final = "nothing was written; try again, and see what holds it where this goes on (a backup, a report)"
_WRITABLE: Final = "let the service's user write it and its folder (chown), or name another in [database] url"
_GRANT: Final = "let the user of [database] url own the tables"

_Reason = tuple[type[StoreError], str, str]
_BY_CODE: Final[dict[str, _Reason]] = {
    "SQLITE_FULL": (StoreAway, "has no room: the disk is full", _ROOM),
    "SQLITE_READONLY": (StoreError, "may not be written", _WRITABLE),
    "SQLITE_NOTADB": (StoreError, "is no database of ours", "name another in [database] url"),
    "SQLITE_CORRUPT": (StoreError, "is damaged", "stop the service and put the last backup in its place"),
    "SQLITE_CANTOPEN": (
        StoreError,
        "cannot be opened",
        "mend [database] url, or make its folder and let the service write there",
    ),
    "SQLITE_IOERR": (StoreAway, "cannot be read or written", "see what the system says of its disk (dmesg)"),
    "53100": (StoreAway, "has no room: the server's disk is full", _ROOM),
    "53300": (StoreAway, "takes no more connections", "raise max_connections, or end what holds them"),
    "40P01": (Contended, "had other transactions in the way: a deadlock", _AGAIN),
    "40001": (Contended, "had other transactions in the way: no order in which both could be done", _AGAIN),
    "55P03": (Contended, "had other transactions in the way: it waited too long for a lock", _AGAIN),
    "57014": (Contended, "had other transactions in the way: it took too long", _AGAIN),
    "25006": (StoreError, "may only be read", "name the server that is written to in [database] url"),
    "42501": (StoreError, "may not be written by this user", _GRANT),
}
_REFUSED: Final = ("authentication failed", "does not exist", "no pg_hba.conf entry")


def reason(error: DBAPIError, where: str, patience_s: float) -> StoreError | None:
    """Give what is to be said of an error; None where the fault is in what was to be written, not in the database."""
    code = _code(error)
    if code not in _BY_CODE and isinstance(error, ProgrammingError):
        return None
    cause = " ".join(str(error.orig).split())
    kind, what, remedy = _BY_CODE.get(code) or _by_words(cause, patience_s)
    return kind(f"{where} {what} ({cause}); {remedy}")


def _by_words(cause: str, patience_s: float) -> _Reason:
    if "locked" in cause:
        return StoreAway, f"is locked by another program for more than {patience_s:g} s", "close it and try again"
    if "no such table" in cause or "no such column" in cause:
        return StoreError, "is empty or of another version", "start `callback run` once: it migrates"
    refused = any(words in cause for words in _REFUSED)
    return (StoreError, "refuses us", "mend [database] url") if refused else (StoreAway, "cannot be reached", _START)


def _code(error: DBAPIError) -> str:
    """Give PostgreSQL's SQLSTATE, or SQLite's name of the error without what it adds (SQLITE_READONLY_DBMOVED)."""
    told = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None) or ""
    return "_".join(told.split("_")[:2])
