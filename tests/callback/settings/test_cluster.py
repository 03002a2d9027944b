"""[cluster]: what is no Redis is told with what to write instead, and no password is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from callback.errors import SettingsError
from callback.settings.cluster import Cluster
from callback.settings.sections import load
from tests.callback.settings.test_sections import LEAST


def read(folder: Path, text: str) -> Cluster:
    file = folder / "callback.toml"
    file.write_text(LEAST + text)
    return load(file, {}).cluster


def test_without_a_word_there_is_none(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Cluster(redis="", node="")


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1",
        "redis://:made-up@redis.example.lan:6380/2",
        "rediss://lcr:made-up@redis.example.lan/0?ssl_ca_certs=/etc/ssl/own.pem",
        "unix:///run/redis/redis.sock",
        "unix://:made-up@/run/redis/redis.sock",
    ],
)
def test_a_redis_is_named_by_its_url(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, f'[cluster]\nredis = "{url}"\n').redis == url


@pytest.mark.parametrize(
    "url",
    [
        "redis.example.lan:6379",
        "http://redis.example.lan",
        "redis://:made/up@redis.example.lan:6379/0",
        "redis://redis.example.lan:65536",
        "redis://redis.example.lan/first",
        "unix://",
        "rediss://host/0?what",
        "redis://host/0?db=x",
        "rediss://host/0?socket_timeout=never",
    ],
)
def test_what_is_no_redis_is_told_with_the_line_and_what_to_write(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError) as told:
        read(tmp_path, f'[cluster]\nredis = "{url}"\n')
    (fault,) = told.value.faults
    assert "[cluster] redis: is no address of a Redis: write redis://" in fault
    assert fault.startswith("line ")
    assert "made" not in fault


def test_a_node_has_a_plain_name(tmp_path: Path) -> None:
    assert read(tmp_path, '[cluster]\nnode = "desk-2.example"\n').node == "desk-2.example"
    with pytest.raises(SettingsError, match=r"\[cluster\] node"):
        read(tmp_path, '[cluster]\nnode = "two words"\n')
