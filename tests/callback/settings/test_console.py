"""[console]: whoever signs in is read by nobody on the way, and a fault says what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from callback.errors import SettingsError
from callback.settings.console import Console
from callback.settings.sections import load
from tests.callback.settings.test_sections import LEAST

WHOLE = """
[console]
listen = "127.0.0.1:8090"
public_url = "https://console.example.org/"
trusted_proxies = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]

[web]
listen = "127.0.0.1:8080"
public_url = "https://texts.example.org/lcr"
"""


def read(folder: Path, text: str) -> Console:
    file = folder / "callback.toml"
    file.write_text(LEAST + text)
    return load(file, {}).console


def test_without_a_word_there_is_none(tmp_path: Path) -> None:
    assert read(tmp_path, "").listen == ""


def test_it_is_found_by_its_public_url(tmp_path: Path) -> None:
    console = read(tmp_path, WHOLE)
    assert (console.address, console.url, console.is_https) == (
        ("127.0.0.1", 8090),
        "https://console.example.org",
        True,
    )
    assert console.trusted_proxies == ("127.0.0.1", "10.0.0.0/8", "2001:db8::/32")


@pytest.mark.parametrize("listen", ["127.0.0.1:8090", "[::1]:8090", "localhost:8090", "127.0.0.2:8090"])
def test_on_this_machine_alone_it_needs_no_certificate(tmp_path: Path, listen: str) -> None:
    console = read(tmp_path, f'[console]\nlisten = "{listen}"\n')
    assert (console.url, console.is_https) == (f"http://{listen}", False)


@pytest.mark.parametrize("listen", ["0.0.0.0:8090", "[::]:8090", "192.0.2.7:8090", "pbx.example.org:8090"])
def test_where_others_hear_it_it_needs_one(tmp_path: Path, listen: str) -> None:
    with pytest.raises(SettingsError, match="others may read what is sent to it there") as told:
        read(tmp_path, f'[console]\nlisten = "{listen}"\n')
    assert 'public_url = "https://console.example.org"' in str(told.value)
    assert read(tmp_path, WHOLE.replace("127.0.0.1:8090", listen)).is_https


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("127.0.0.1:8090", "8090", "[console] listen: must be host:port"),
        ("https://console", "http://console", "[console] public_url: must begin with https://"),
        ("console.example.org/", "console.example.org/lcr", "[console] public_url: must have no path"),
        ("10.0.0.0/8", "10.0.0.1/8", "'10.0.0.1/8' is no address, as in 127.0.0.1, and no network"),
        ("10.0.0.0/8", "proxy", "'proxy' is no address"),
        ("127.0.0.1:8090", "127.0.0.1:8080", "[console] listen is that of [web]"),
        ("console.example", "texts.example", "[console] public_url has the host of [web], texts.example.org"),
        ("trusted_proxies", "memory_max_mb = 100\ntrusted_proxies", "memory_max_mb: Input should be greater"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in WHOLE
    with pytest.raises(SettingsError) as told:
        read(tmp_path, WHOLE.replace(old, new))
    assert fault in str(told.value)
