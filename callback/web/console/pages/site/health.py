"""Health: whether each part works, what it keeps, and what the doctor says, with the remedy for each fault."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, RedirectResponse, Response

from callback.attempts import snapshot
from callback.logs.masking import masked_text
from callback.operations import doctor, health, nodes
from callback.reports.now import health as parts_health
from callback.site.work import Work
from callback.store import audit
from callback.store.audit import By
from callback.web.console import gate
from callback.web.console.gate import Needs
from callback.web.console.visit import Visit

router = APIRouter()

LOOK_AGAIN_S: Final = 2
"""While the doctor looks, the page is fetched again so often."""
_BY_HAND: Final = "asked for on the page"
Examine = Annotated[Visit, Depends(Needs("administer"))]


@router.get("/health")
def shown(visit: gate.Health) -> Response:
    """Show whether each part works, and what the doctor found last."""
    answer = visit.page("site/health.html", may_examine=visit.viewer.may("administer"), **_seen(visit))
    examined = visit.console.examination.last
    if examined is not None and examined.ended_at is None:
        answer.headers["Refresh"] = str(LOOK_AGAIN_S)
    return answer


@router.get("/health.json")
def bundle(visit: gate.Health) -> Response:
    """Give the same for a program, or for whoever helps from afar: without numbers."""
    seen = _seen(visit)
    examined = seen["examined"]
    body = {
        "at": seen["now"],
        "parts": [asdict(part) for part in seen["parts"]],
        "standing": asdict(seen["standing"]),
        "overview": asdict(seen["overview"]),
        "viewers": seen["viewers"],
        "doctor": None if examined is None else asdict(examined),
    }
    return JSONResponse(_masked(body), headers={"Content-Disposition": 'attachment; filename="health.json"'})


@router.post("/health/examine")
def examine(visit: Examine) -> Response:
    """Let the doctor look, beside the page; one at a time. It makes a call of its own on the PBX."""
    settings, file = visit.console.settings, visit.console.file
    if visit.console.examination.begin(lambda: doctor.of_settings(settings, file), visit.console.now):
        by = By(visit.viewer.user, _BY_HAND)
        visit.act(lambda work: audit.add(work.connection, work.pbx, by, "examined", None, {}, work.now))
    return RedirectResponse("/health", 303)


def _seen(visit: Visit) -> dict[str, Any]:
    def look(work: Work) -> dict[str, Any]:
        picture = snapshot.recall(work.connection, work.pbx)
        return {
            "parts": parts_health.look(work, picture),
            "standing": health.look(work, visit.console.settings),
            "overview": nodes.look(work),
        }

    viewers = len(visit.live.hub.viewers)
    return {"now": visit.console.now(), "viewers": viewers, "examined": visit.console.examination.last} | visit.look(
        look
    )


def _masked(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, dict):
        return {key: _masked(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(one) for one in value]
    return masked_text(value) if isinstance(value, str) else value
