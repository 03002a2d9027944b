"""The mail server of the settings: whole, and safe from others on the way."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from callback.settings.mail import Mail

WHOLE = {"host": "mail.example.org", "from": "care@example.org"}


@pytest.mark.parametrize(("changes", "says"), [
    ({"from": ""}, "which address letters come from"),
    ({"from": "care"}, "no mail address"),
    ({"host": "mail example"}, "no host"),
    ({"user": "lcr"}, "user and password belong together"),
    ({"security": "none"}, "a server on this machine alone"),
    ({"port": 0}, "greater than or equal to 1"),
])  # fmt: skip
def test_a_faulty_one_says_what_to_mend(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Mail.model_validate(WHOLE | changes)


def test_a_whole_one_hides_its_password() -> None:
    mail = Mail.model_validate(WHOLE | {"user": "lcr", "password": "hush"})
    assert "hush" not in repr(mail)
    assert (mail.port, mail.security) == (587, "starttls")
    assert not Mail().host
