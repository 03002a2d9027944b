"""The address of every page of the console, as its routes have them: a page that is added is looked at, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi.routing import APIRoute

from callback.web.console.app import PAGES
from tests.console.centre import Centre

OF_ACCOUNTS: Final = {"/account", "/password", "/prove"}
"""Pages of somebody who has signed in by name and password."""
NO_PAGES: Final = OF_ACCOUNTS | {"/", "/healthz", "/session", "/stream", "/stream/{of}", "/wall/{token}"}
"""Routes that answer with no page of their own, or to nobody who is signed in."""
FILLED: Final[Mapping[str, tuple[str, ...]]] = {
    "{number}": ("binds", "aim-china", "late-tried", "reached"),
    "{name}": ("answers", "left", "cancelled"),
}
"""What stands for the changing part of an address: reservations by name, and lists of Now."""
INSTEAD: Final[Mapping[str, tuple[str, ...]]] = {
    "/act/{name}/{reservation}": ("/act/cancel/{binds}", "/act/slot/{aim}", "/act/assign/{held}"),
    "/acts/{batch}": (),
    "/handover/{of}": (),
    "/machines/endpoints/{number}": (),
    "/queue": ("/queue", "/queue?lane=held", "/queue?sort=deadline", "/queue?overdue=1", "/queue?queue=nobody"),
    "/reports": ("/reports?period=day", "/reports?compare=1&split=kind", "/reports?split=agent"),
    "/reports/rows/{name}": ("/reports/rows/lost", "/reports/rows/valid?queue=support"),
    "/what-if": ("/what-if?more=2",),
    "/answers/{number}": ("/answers/1", "/answers/2", "/answers/99"),
    "/care": ("/care?split=agent", "/care?split=kind&since=2026-01-01"),
    "/asked/{number}": (),  # pages of campaigns: test_campaign_pages
    "/campaigns/{number}": (),
    "/campaigns/{number}/change": (),
    "/campaigns/{number}/checklist": (),
    "/campaigns/{number}/sample": (),
    "/campaigns/{number}/sample/{of}": (),
    "/incidents/{number}": ("/incidents/1", "/incidents/99"),
    "/cases": ("/cases", "/cases?ended=1"),
    "/cases/new": ("/cases/new?answer=1",),
    "/cases/{number}": ("/cases/8", "/cases/9"),  # with hostile words, and one that repeats another
}


def templates() -> list[str]:
    """Every page, with names of reservations in the place of their numbers."""
    found: list[str] = []
    for router in PAGES:
        for route in router.routes:
            if isinstance(route, APIRoute) and "GET" in (route.methods or ()) and _is_page(route.path_format):
                path = route.path_format
                found += INSTEAD[path] if path in INSTEAD else _filled(path)
    return sorted({*found, "/nothing"} - {path for path in INSTEAD if "{" in path})


def _is_page(path: str) -> bool:
    return path not in NO_PAGES and not path.endswith((".csv", ".json"))


def _filled(path: str) -> list[str]:
    for part, names in FILLED.items():
        if part in path:
            by_id = part == "{number}"
            return [path.replace(part, f"{{{name}}}" if by_id else name) for name in names]
    return [path]


def address(template: str, centre: Centre) -> str:
    """The same with numbers."""
    return template.format(**{name: number for name, number in centre.reservation.items() if name in template})
