"""Many who are lost at once, each elsewhere and for another reason: many of one cause would be an incident."""

from __future__ import annotations

from typing import Final

from tests.console.centre import Centre

QUEUES: Final = ("support", "billing", "sales", "华语客服")
REASONS: Final = ("gave-up-waiting", "gave-up-while-ringing", "gave-up-after-transfer")


def lose(centre: Centre, name: str, number: int, when: int) -> int:
    """Somebody whose number ends in these four digits gives up, and gets no text before `NOW`; give the reservation."""
    queue, reason = QUEUES[number % 4], REASONS[number // 4 % 3]
    centre.lose(name, f"0904444{number:04}", when, queue=queue, reason=reason, told_after_s=10**6)
    return centre.reservation[name]
