"""A file of settings for commands that look into a test's database."""

from __future__ import annotations

from pathlib import Path

import pytest

SETTINGS = """
[database]
url = "{url}"
[pbx]
username = "u"
secret = "s"
journal = "{folder}"
[trunks.main]
channel = "PJSIP/trunk"
region = "JP"
form = "national"
[rules]
zone = "Asia/Tokyo"
"""


def named(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> Path:
    """Write the settings, and name them to the commands as a person would: by CALLBACK_SETTINGS."""
    file = folder / "callback.toml"
    file.write_text(SETTINGS.format(url=url, folder=folder))
    monkeypatch.setenv("CALLBACK_SETTINGS", str(file))
    return file
