"""However a log is cut into files, its calls are the same, and only what matters is read."""

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telephony.ids import SECOND
from telephony.queue_log.entries import Entry, Faults
from telephony.queue_log.files import BLOCK, PROBE, TORN, LogFiles, LogUnreadable
from tests.telephony.queue_log.logs import EVER, T, lines, told

CALL = """{0} .{0} support NONE ENTERQUEUE |09{0}|1
{0} .{0} support Ann RINGNOANSWER 1000
{0} .{0} support Ann RINGNOANSWER 1000
{1} .{0} support NONE ABANDON 1|1|3"""
LOG = [line for n in range(0, 120, 2) for line in lines(CALL.format(n, n + 3))]
LOG.sort(key=lambda line: line.split(b"|")[0])


def write(path: Path, log: list[bytes], *, torn: bytes = b"") -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in log) + torn)
    return path


def read(path: Path, since: int = 0, until: int = EVER, faults: Faults | None = None) -> list[Entry]:
    return list(LogFiles(path).between(since, until, faults if faults is not None else Faults()))


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
def test_any_split_into_rotations_with_overlaps_gives_the_same_calls(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("split")
    cuts = sorted(data.draw(st.lists(st.integers(1, len(LOG) - 1), max_size=4, unique=True)))
    begins, ends = [0, *cuts], [*cuts, len(LOG)]
    for place, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        overlap = data.draw(st.integers(0, 40))
        name = "queue_log" if end == len(LOG) else f"queue_log.{len(cuts) - place}"
        write(folder / name, LOG[max(0, begin - overlap) : end])
    write(folder / "queue_log.old", LOG)  # somebody's copy: no rotation
    assert told(read(folder / "queue_log")) == told(read(write(folder / "whole", LOG)))


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("queue_log.1.gz", gzip.compress),
        ("queue_log.1.bz2", bz2.compress),
        ("queue_log.1.xz", lzma.compress),
        ("queue_log-20261122.gz", gzip.compress),
        ("queue_log-20261122", bytes),
        ("queue_log.1795307706", bytes),
        ("queue_log.0", bytes),
        ("queue_log.1.gz", bytes),  # packed by its name alone
    ],
)
def test_rotations_of_any_name_and_packing(tmp_path: Path, name: str, pack: Callable[[bytes], bytes]) -> None:
    (tmp_path / name).write_bytes(pack(b"\n".join(LOG[:100]) + b"\n"))
    write(tmp_path / "queue_log", LOG[90:])
    assert read(tmp_path / "queue_log") == read(write(tmp_path / "whole", LOG))
    assert LogFiles(tmp_path / "queue_log").begins_at() == T * SECOND


def test_the_part_that_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "queue_log", LOG)
    since, until = (T + 20) * SECOND, (T + 40) * SECOND
    assert read(path, since, until) == [entry for entry in read(path) if since <= entry.at <= until]


class Counting:
    """Bytes that were read from disk by this process."""

    def __init__(self) -> None:
        self.before = self._now()

    def _now(self) -> int:
        return int(Path("/proc/self/io").read_text().split("rchar: ")[1].split()[0])

    @property
    def read(self) -> int:
        return self._now() - self.before


@pytest.fixture(scope="module")
def long_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("long") / "queue_log"
    with path.open("w") as out:
        out.writelines(f"{T + n}|{T + n}.1|support|NONE|ENTERQUEUE||09{n % 10**8:08}|1\n" for n in range(200_000))
    os.utime(path, (T + 200_000, T + 200_000))
    return path


def test_of_a_long_log_little_is_read(long_log: Path) -> None:
    since = (T + 150_000) * SECOND
    counting = Counting()
    found = read(long_log, since, since + 60 * SECOND)
    assert [found[0].at, found[-1].at, len(found)] == [since, since + 60 * SECOND, 61]
    assert counting.read < 6 * BLOCK < long_log.stat().st_size / 20


@pytest.mark.parametrize("second", [0, 1, 63, 100_000, 199_998, 199_999])
def test_bisection_finds_the_edges(long_log: Path, second: int) -> None:
    at = (T + second) * SECOND
    assert [entry.at for entry in read(long_log, at, at)] == [at]


def test_of_a_quiet_log_nothing_is_passed_over(tmp_path: Path) -> None:
    hours = range(0, 500 * 3600, 3600)
    path = tmp_path / "queue_log"
    write(path, [f"{T + at}|{T + at}.1|support|NONE|ENTERQUEUE||0901|1".encode() for at in hours])
    os.utime(path, (T + hours[-1], T + hours[-1]))
    for at in hours[::7]:
        assert [entry.at for entry in read(path, (T + at) * SECOND, (T + at) * SECOND)] == [(T + at) * SECOND]


def test_forged_times_do_not_mislead_the_bisection(long_log: Path, tmp_path: Path) -> None:
    log = long_log.read_bytes()
    middle = log.rfind(b"\n", 0, len(log) // 2) + 1  # where it looks first
    forged = b"".join(b"1000000000|1.%d|q|NONE|ENTERQUEUE||0999|1\n" % number for number in range(5))
    path = tmp_path / "queue_log"
    path.write_bytes(log[:middle] + forged + log[middle:])
    os.utime(path, (T + 200_000, T + 200_000))
    assert len(forged) < PROBE
    since = (T + 10_000) * SECOND
    assert len(read(path, since, since + 9 * SECOND)) == 10


def test_a_line_that_is_being_written_is_left_for_later(tmp_path: Path) -> None:
    faults = Faults()
    path = write(tmp_path / "queue_log", LOG[:10], torn=LOG[10][:30])
    assert len(read(path, faults=faults)) == 10
    with path.open("ab") as out:
        out.write(LOG[10][30:] + b"\n")
    assert len(read(path, faults=faults)) == 11
    assert not faults


def test_a_rotation_that_ends_in_a_line_is_said(tmp_path: Path) -> None:
    faults = Faults()
    write(tmp_path / "queue_log.1", LOG[:10], torn=LOG[10][:30])
    write(tmp_path / "queue_log", LOG[11:20])
    assert len(read(tmp_path / "queue_log", faults=faults)) == 19
    assert [(fault.why, fault.place) for fault in faults] == [(TORN, "queue_log.1")]


def test_a_restart_that_was_written_behind_a_torn_line_is_read(tmp_path: Path) -> None:
    log = lines("0 .1 support NONE ENTERQUEUE |0901|1\n1 .2 support NONE ENTERQUEUE |0902|2")
    start = f"{T + 60}|NONE|NONE|NONE|QUEUESTART|".encode()
    path = write(tmp_path / "queue_log", [log[0], log[1] + b"\0\0", log[1][:30] + start])
    assert [entry.event for entry in read(path)][-1] == "QUEUESTART"


def test_faults_are_named_by_file_and_line(tmp_path: Path) -> None:
    faults = Faults()
    path = write(tmp_path / "queue_log", [*LOG[:50], b"what is this", *LOG[50:]])
    read(path, (T + 10) * SECOND, EVER, faults)
    assert [fault.place for fault in faults] == ["queue_log:51"]


def test_a_packed_file_that_is_cut_short_gives_what_it_has(tmp_path: Path) -> None:
    faults = Faults()
    packed = gzip.compress(b"\n".join(LOG) + b"\n")
    (tmp_path / "queue_log.1.gz").write_bytes(packed[:-20])
    assert len(read(write(tmp_path / "queue_log", LOG[-2:]), faults=faults)) > 2
    assert faults.counts


def test_a_file_that_was_not_written_since_is_not_read(tmp_path: Path) -> None:
    old = write(tmp_path / "queue_log.1", LOG[:50])
    os.utime(old, (T, T))
    write(tmp_path / "queue_log", LOG[50:])
    found = read(tmp_path / "queue_log", (T + 3600) * SECOND)
    assert found == []
    assert LogFiles(tmp_path / "queue_log").begins_at() == T * SECOND


def test_a_rotation_while_it_is_opened_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "queue_log", LOG[:50])
    names = LogFiles._names  # noqa: SLF001 - the moment between looking and opening
    rotated: list[Path] = []

    def look(self: LogFiles) -> dict[str, int]:
        found = names(self)
        if not rotated:
            rotated.append(path.rename(tmp_path / "queue_log.1"))
            write(path, LOG[50:])
        return found

    monkeypatch.setattr(LogFiles, "_names", look)
    assert len(read(path)) == len(LOG)


def test_a_log_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(LogUnreadable, match=r"there is no .*queue_log.*logger\.conf"):
        read(tmp_path / "queue_log")
    with pytest.raises(LogUnreadable, match="Name the directory"):
        read(tmp_path / "nowhere" / "queue_log")


@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from(LOG)), max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_raise(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("noise") / "queue_log"
    path.write_bytes(b"\n".join(parts))
    found = read(path, (T + 10) * SECOND, (T + 60) * SECOND)
    assert all(isinstance(entry, Entry) for entry in found)
