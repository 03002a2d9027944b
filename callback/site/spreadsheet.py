"""What spreadsheets save as CSV: in which encodings, and divided by what."""

from __future__ import annotations

from typing import Final

ENCODINGS: Final = ("utf-8-sig", "gb18030")
"""With or without a byte order mark; those of Chinese offices save the second. The first that fits is meant."""
_DELIMITERS: Final = ",;\t"


def delimiter(first: str) -> str:
    """By what the cells are divided, told by the line that names the columns."""
    return max(_DELIMITERS, key=first.count)


def text_of(content: bytes) -> str | None:
    """Decode the content of a file; None where it is none of these."""
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
