"""The container files, linted by rules of our own and the compose specification; built and run where an engine is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from callback.settings.secrets import secrets_of
from callback.settings.sections import Settings, load
from tests.install.pages import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "container"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
NODES = {name: one for name, one in COMPOSE["services"].items() if one["image"] == "lcr"}


def steps() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile and what each says, lines that go on joined."""
    text = re.sub(r"\\\n\s*", "", (FOLDER / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1].strip()) for line in lines]


def said(instruction: str) -> list[str]:
    return [rest for name, rest in steps() if name == instruction]


def test_its_instructions_are_known_and_its_base_is_pinned_to_a_version() -> None:
    known = {
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "ENV",
        "USER",
        "VOLUME",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
    assert {name for name, _ in steps()} <= known
    for base in said("FROM"):
        assert re.fullmatch(r"docker\.io/library/python:3\.\d+\.\d+-slim-\w+( AS \w+)?", base)
    for one in COMPOSE["services"].values():
        assert one["image"] == "lcr" or re.fullmatch(r"docker\.io/library/\w+:\d+\.\d+(\.\d+)?-\w+", one["image"])


def test_it_ends_as_a_user_that_is_not_root_and_says_whether_it_is_well() -> None:
    names = [name for name, _ in steps()]
    (user,) = said("USER")
    assert user.split(":")[0].isdecimal()
    assert int(user.split(":")[0]) > 0
    assert f"--uid {user.split(':')[0]}" in " ".join(said("RUN"))
    assert names.index("USER") > max(place for place, name in enumerate(names) if name in {"RUN", "COPY"})
    (health,) = said("HEALTHCHECK")
    listens = re.search(r"CALLBACK_METRICS__LISTEN=(\S+)", " ".join(said("ENV")))
    assert listens
    assert f"http://{listens[1]}/healthz" in health
    assert said("ENTRYPOINT") == ['["callback"]']


def test_what_it_copies_is_there_and_no_secret_and_nothing_else_gets_into_it() -> None:
    sources = [word for copied in said("COPY") if "--from" not in copied for word in copied.split()[:-1]]
    assert [source for source in sources if not (REPOSITORY / source).exists()] == []
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    assert sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(sources)
    assert not re.search(r"(?i)(secret|password|token|key)\s*=", (FOLDER / "Dockerfile").read_text())


def test_what_it_pins_is_what_the_lock_says() -> None:
    """Do as its RUN does with the lock."""
    (pattern,) = re.findall(r"sed -nE '([^']+)' requirements.lock", (FOLDER / "Dockerfile").read_text())
    command = ["sed", "-nE", pattern, "requirements.lock"]
    pinned = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(pinned) == len(
        re.findall(r"^[a-z0-9].*==", (REPOSITORY / "requirements.lock").read_text(), re.MULTILINE)
    )
    assert all(re.fullmatch(r"[a-z0-9.-]+==[\w.+!]+", one) for one in pinned), pinned


def test_the_compose_file_is_one() -> None:
    read = PyCompose.from_yaml(yaml.safe_dump(COMPOSE))  # merged, as an engine reads it
    assert set(read.service_names()) == {"pbx", "text", "web", "database", "redis"}
    with pytest.raises(ValueError, match="imagge"):
        PyCompose.from_yaml("services: {pbx: {imagge: lcr}}")


@pytest.mark.parametrize("name", NODES)
def test_a_node_starts_with_the_settings_that_it_is_given(name: str, tmp_path: Path) -> None:
    environ = {key: str(value) for key, value in NODES[name]["environment"].items()}
    held = {
        "/run/secrets/database_url": "postgresql+psycopg://lcr:hush@database/lcr",
        "/run/secrets/pbx_secret": "hush",
    }
    assert set(NODES[name]["secrets"]) == {Path(path).name for path in held}
    for key, path in environ.items():
        if path in held:
            (tmp_path / Path(path).name).write_text(held[path])
            environ[key] = str(tmp_path / Path(path).name)
    file = tmp_path / "callback.toml"
    file.write_text('[pbx]\nusername = "lcr"\n[trunks.main]\nregion = "DE"\n[rules]\nzone = "Europe/Berlin"\n')
    settings = load(file, environ)
    assert (settings.database.url, settings.pbx.secret) == tuple(held.values())
    assert settings.cluster.redis == "redis://redis:6379/0"


def test_no_secret_stands_in_the_compose_file() -> None:
    words = {keys[-1] for keys in secrets_of(Settings)} - {"url", "redis"}
    for one in COMPOSE["services"].values():
        plain = [key for key in one.get("environment", {}) if key.lower().rsplit("__", 1)[-1] in words]
        assert plain == []
        assert "PASSWORD" not in " ".join(key for key in one.get("environment", {}) if not key.endswith("_FILE"))
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("./secrets/")


def test_each_node_has_a_role_and_may_do_no_more_than_it_must() -> None:
    assert {tuple(one["command"]) for one in NODES.values()} == {
        ("run", "--role", role) for role in ("pbx", "text", "web")
    }
    for one in NODES.values():
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert one["security_opt"] == ["no-new-privileges:true"]
    for place in [port for one in COMPOSE["services"].values() for port in one.get("ports", [])]:
        assert str(place).startswith("127.0.0.1:")


def engine() -> str | None:
    """A container engine that answers; only asked for where one is installed."""
    for name in ("docker", "podman"):
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0:
            return name
    return None


@pytest.mark.timeout(900)
def test_it_is_built_and_run_where_an_engine_is() -> None:
    """Nothing is skipped where none is: the lint above is what can be had there, and docs/container.md says so."""
    name = engine()
    if name is None:
        assert "Linted, not run" in " ".join((REPOSITORY / "docs/container.md").read_text().split())
        return
    build = [name, "build", "--quiet", "--file", str(FOLDER / "Dockerfile"), "--tag", "lcr-test", str(REPOSITORY)]
    subprocess.run(build, check=True, capture_output=True)
    try:
        run = [name, "run", "--rm", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "lcr-test", "--version"]
        assert "callback" in subprocess.run(run, check=True, capture_output=True, text=True).stdout
    finally:
        subprocess.run([name, "image", "rm", "lcr-test"], check=False, capture_output=True)
