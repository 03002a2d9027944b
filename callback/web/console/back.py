"""The page of ours that a form stood on, where one goes back to."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request


def parts_of(address: str) -> SplitResult:
    """Divide an address that somebody sent; one that is none has no parts."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def page_before(request: Request) -> str:
    """The page that the request came from, as a path of ours; else the first page."""
    came_from = parts_of(request.headers.get("referer", ""))
    if came_from.netloc != request.headers.get("host") or not came_from.path.startswith("/"):
        return "/"
    path = "/" + came_from.path.lstrip("/")
    return f"{path}?{came_from.query}" if came_from.query else path
