"""What was appended comes back, up to any cut; room and age are bounded; offsets only grow."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telephony.listening import segments
from telephony.listening.journal import DAY_S, SETTLED_BYTES, Journal, JournalError, JournalFull, JournalInUse
from telephony.listening.signatures import sign, signatures
from telephony.private import is_open_to_others, is_seen
from tests.children import child

SECOND: Final = 1_000_000
NOW: Final = 1_795_307_000 * SECOND
RAW: Final = b"Event: Hangup\r\nUniqueid: 1795307133.7"


def raws(journal: Journal, offset: int = 0) -> list[bytes]:
    return [record.body for record in journal.read_from(offset)]


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.journal"))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(tmp_path / "journal", max_bytes=10_000, segment_bytes=1_000) as opened:
        yield opened


def test_what_is_appended_is_read_from_its_offset(journal: Journal) -> None:
    offsets = [journal.append(b"message %d" % number, NOW + number) for number in range(100)]
    assert offsets == sorted(set(offsets))
    records = list(journal.read_from(offsets[40]))
    assert [record.body for record in records] == [b"message %d" % number for number in range(40, 100)]
    assert [record.offset for record in records] == offsets[40:]
    assert records[0].arrived_at == NOW + 40
    assert [record.next_offset for record in records] == [*offsets[41:], journal.end]


def test_what_is_forgotten_while_it_is_read_is_left_out(journal: Journal) -> None:
    for number in range(100):
        journal.append(b"message %d" % number, NOW)
    reading = journal.read_from(0)
    assert next(reading).body == b"message 0"
    journal.expire(NOW + 8 * DAY_S * SECOND)
    assert b"message 99" not in [record.body for record in reading]


def test_it_can_be_read_with_plain_tools(journal: Journal, tmp_path: Path) -> None:
    journal.append(RAW, NOW)
    text = files(tmp_path / "journal")[0].read_bytes()
    assert text.startswith(b"%d %d " % (NOW, len(RAW)))
    assert text.endswith(b"\n" + RAW + b"\n")


def test_it_goes_on_where_it_ended(tmp_path: Path) -> None:
    with Journal(tmp_path, max_bytes=10_000) as first:
        first.append(b"one", NOW)
        end = first.end
    with Journal(tmp_path, max_bytes=10_000) as second:
        assert second.append(b"two", NOW) == end
        assert raws(second) == [b"one", b"two"]


@pytest.mark.parametrize("raw", [b"", b"\n", b"\r\n", b"\0", b"1 1 00000000\nx\n", bytes(range(256))])
def test_any_bytes_come_back(journal: Journal, raw: bytes) -> None:
    journal.append(raw, NOW)
    journal.append(RAW, NOW)
    assert raws(journal) == [raw, RAW]


def test_when_full_nothing_is_added_until_room_is_made(journal: Journal) -> None:
    size = len(b"%d %d %08x\n%b\n" % (NOW, len(RAW), 0, RAW))
    offsets = [journal.append(RAW, NOW) for _ in range(10_000 // size)]
    with pytest.raises(JournalFull, match=r"of 10000 bytes allowed.*allow more\.$"):
        journal.append(RAW, NOW)
    end = journal.end
    assert end <= 10_000
    assert len(raws(journal)) == len(offsets)
    journal.forget_before(offsets[20])
    assert journal.append(RAW, NOW) == end
    assert raws(journal, journal.start)[-1] == RAW


def test_only_whole_settled_segments_are_forgotten(journal: Journal, tmp_path: Path) -> None:
    offsets = [journal.append(RAW, NOW) for _ in range(100)]
    before = len(files(tmp_path / "journal"))
    journal.forget_before(offsets[50])
    assert len(files(tmp_path / "journal")) < before
    assert journal.start <= offsets[50]
    assert [record.offset for record in journal.read_from(0)] == [o for o in offsets if o >= journal.start]


def test_when_all_is_settled_all_is_forgotten(journal: Journal) -> None:
    while journal.end < 500:
        journal.append(RAW, NOW)
    end = journal.end
    journal.forget_before(end)
    assert (journal.start, journal.end) == (end, end)
    assert journal.append(RAW, NOW) == end


def test_a_little_that_is_settled_costs_no_new_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with Journal(tmp_path, max_bytes=64 << 20) as journal:
        made, begun = files(tmp_path), len(synced)
        for _ in range(20):
            journal.append(RAW, NOW)
            journal.forget_before(journal.end)
        assert (files(tmp_path), len(synced)) == (made, begun)
        while journal.end < SETTLED_BYTES:
            journal.append(RAW, NOW)
        journal.forget_before(journal.end)
        assert journal.start == journal.end


def test_a_full_disk_does_not_stop_forgetting(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(60):
        journal.append(RAW, NOW)

    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "touch", no_space)
        journal.forget_before(journal.end)
    assert 0 < journal.start < journal.end


def test_a_full_disk_is_full_at_a_new_segment_too(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "touch", no_space)
    journal.append(b"x" * 1000, NOW)
    with pytest.raises(JournalFull, match="No space left"):
        journal.append(RAW, NOW)


def test_where_a_new_segment_cannot_be_used_the_one_before_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more_files(*_: object) -> int:
        raise OSError(24, "Too many open files")

    with Journal(tmp_path, max_bytes=10_000, segment_bytes=1_000) as journal:
        offsets = [journal.append(b"x" * 700, NOW)]
        with monkeypatch.context() as patched:
            patched.setattr(segments, "open_to_append", no_more_files)
            with pytest.raises(JournalFull, match="Too many open files"):
                journal.append(b"y" * 700, NOW)
        offsets.append(journal.append(RAW, NOW))
        end = journal.end
    with Journal(tmp_path, max_bytes=10_000, segment_bytes=1_000) as again:
        assert (again.end, raws(again)) == (end, [b"x" * 700, RAW])
        assert again.append(RAW, NOW) == end
        assert [record.offset for record in again.read_from(0)] == [*offsets, end]


def test_nothing_is_kept_longer_than_seven_days(journal: Journal) -> None:
    journal.append(b"old", NOW)
    journal.append(b"next day", NOW + (DAY_S + 1) * SECOND)
    journal.expire(NOW + 7 * DAY_S * SECOND)
    assert raws(journal) == [b"old", b"next day"]
    journal.expire(NOW + (7 * DAY_S + 1) * SECOND)
    assert raws(journal) == [b"next day"]
    journal.expire(NOW + 30 * DAY_S * SECOND)
    assert raws(journal) == []
    assert journal.append(b"new", NOW + 30 * DAY_S * SECOND) == journal.start


def test_age_is_known_after_reopening(tmp_path: Path) -> None:
    with Journal(tmp_path, max_bytes=1000) as first:
        first.append(b"old", NOW)
    with Journal(tmp_path, max_bytes=1000) as second:
        second.expire(NOW + 8 * DAY_S * SECOND)
        assert raws(second) == []


RECORDS: Final = [b"Event: %d\r\n%b" % (number, b"x" * (number * 7 % 50)) for number in range(30)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of several segments, complete."""
    directory = tmp_path_factory.mktemp("whole")
    with Journal(directory, max_bytes=100_000, segment_bytes=400) as journal:
        for raw in RECORDS:
            journal.append(raw, NOW)
    return directory


def cut(source: Path, target: Path, length: int) -> None:
    """Copy a journal as it was when only its first bytes had been written."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for path in files(source):
        start = int(path.stem)
        if start <= length:
            (target / path.name).write_bytes(path.read_bytes()[: length - start])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0.0, 1.0), junk=st.binary(max_size=80))
def test_cut_anywhere_a_prefix_comes_back(whole: Path, tmp_path: Path, part: float, junk: bytes) -> None:
    total = sum(path.stat().st_size for path in files(whole))
    directory = tmp_path / "cut"
    cut(whole, directory, int(total * part))
    with files(directory)[-1].open("ab") as last:
        last.write(junk)
    with Journal(directory, max_bytes=100_000, segment_bytes=400) as journal:
        found = raws(journal)
        assert found == RECORDS[: len(found)]
        assert len(found) >= len(RECORDS) * part - 3
        assert journal.end >= int(total * part) if junk else True
        offset = journal.append(b"after", NOW)
        assert raws(journal) == [*found, b"after"]
    with Journal(directory, max_bytes=100_000) as again:
        assert raws(again, offset) == [b"after"]


def test_a_torn_end_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Journal(tmp_path, max_bytes=1000) as journal:
        journal.append(RAW, NOW)
        end = journal.end
    with files(tmp_path)[0].open("ab") as last:
        last.write(b"1795307000000000 500 0")
    with Journal(tmp_path, max_bytes=1000) as journal:
        assert journal.end == end + 22  # its offsets are not given again
        assert raws(journal) == [RAW]
    assert "22 bytes behind the last whole record removed" in caplog.text


def test_a_damaged_segment_is_left_out_from_there(
    whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory = tmp_path / "damaged"
    shutil.copytree(whole, directory)
    first = files(directory)[0]
    content = bytearray(first.read_bytes())
    content[len(content) // 2] ^= 1
    first.write_bytes(content)
    with Journal(directory, max_bytes=100_000) as journal:
        found = raws(journal)
    assert len(found) < len(RECORDS)
    assert found[0] == RECORDS[0]
    assert found[-1] == RECORDS[-1]
    assert "no whole record at offset" in caplog.text


KILLED: Final = """
import sys
from pathlib import Path
from telephony.listening.journal import Journal
journal = Journal(Path(sys.argv[1]), max_bytes=1 << 30, segment_bytes=20_000)
for number in range(10_000_000):
    journal.append(b"message %d" % number, number)
    if number == 5000:
        print("going", flush=True)
"""


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    with child([sys.executable, "-c", KILLED, str(tmp_path)]) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "going\n"
        os.kill(writer.pid, signal.SIGKILL)
    with Journal(tmp_path, max_bytes=1 << 30) as journal:
        found = raws(journal)
    assert len(found) >= 5000
    assert found == [b"message %d" % number for number in range(len(found))]


def test_a_full_disk_is_full(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append(b"one", NOW)
    write = os.write

    def no_space(file: int, data: bytes) -> int:
        write(file, bytes(data)[:7])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", no_space)
        with pytest.raises(JournalFull, match="No space left"):
            journal.append(b"two", NOW)
    assert raws(journal) == [b"one"]
    journal.append(b"three", NOW)
    assert raws(journal) == [b"one", b"three"]


# Who writes it, and where to hear from


def test_a_second_writer_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    with Journal(tmp_path, max_bytes=1000) as first:
        first.append(RAW, NOW)
        with pytest.raises(JournalInUse, match=r"in use by another process.* takes its place when it ends") as refused:
            Journal(tmp_path, max_bytes=1000)
        assert str(tmp_path) in str(refused.value)
    with Journal(tmp_path, max_bytes=1000) as second:
        assert raws(second) == [RAW]


def test_a_killed_writer_holds_no_lock(tmp_path: Path) -> None:
    with child([sys.executable, "-c", KILLED, str(tmp_path)]) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "going\n"
        with pytest.raises(JournalError, match="in use by another process"):
            Journal(tmp_path, max_bytes=1 << 30)
        os.kill(writer.pid, signal.SIGKILL)
    with Journal(tmp_path, max_bytes=1 << 30) as journal:
        assert journal.end > 0


def test_a_journal_has_an_id_of_its_own(tmp_path: Path) -> None:
    with Journal(tmp_path / "one", max_bytes=1000) as one, Journal(tmp_path / "two", max_bytes=1000) as two:
        ids = {one.id, two.id}
        assert len(ids) == 2
    with Journal(tmp_path / "one", max_bytes=1000) as again:
        assert again.id in ids
    (tmp_path / "one" / "journal.id").write_bytes(b"\xff torn")
    with Journal(tmp_path / "one", max_bytes=1000) as mended:
        assert mended.id not in ids


def test_its_folders_and_files_are_for_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "journal" / "main"
    with Journal(place, max_bytes=10_000, segment_bytes=100) as journal:
        for _ in range(10):
            journal.append(RAW, NOW)
        sign(place, "process 1")
    assert {path.stat().st_mode & 0o777 for path in (place.parent, place)} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o600}
    assert len(list(place.iterdir())) > 4


def test_a_folder_that_somebody_made_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir(mode=0o750)
    with Journal(tmp_path / "journal", max_bytes=1000):
        pass
    assert (tmp_path / "journal").stat().st_mode & 0o777 == 0o750


def test_who_worked_with_it_is_known_and_with_a_copy_nobody_did(tmp_path: Path) -> None:
    assert signatures(tmp_path / "new") == []
    with Journal(tmp_path / "new", max_bytes=1000):
        sign(tmp_path / "new", "process 1")
    shutil.copytree(tmp_path / "new", tmp_path / "copy")
    with Journal(tmp_path / "new", max_bytes=1000):
        for number in range(2, 20):
            sign(tmp_path / "new", f"process {number}")
    assert signatures(tmp_path / "new")[-1] == "process 19"
    assert len(signatures(tmp_path / "new")) < 10
    assert signatures(tmp_path / "copy") == []
    (tmp_path / "new").rename(tmp_path / "moved")
    assert signatures(tmp_path / "moved")[-1] == "process 19"


def test_where_to_hear_from(journal: Journal) -> None:
    offsets = [journal.append(RAW, NOW) for _ in range(100)]
    journal.forget_before(offsets[50])
    assert journal.start > 0
    assert journal.resume(journal.id, offsets[70]) == offsets[70]
    assert journal.resume(journal.id, journal.end) == journal.end
    assert journal.resume(journal.id, 0) == journal.start  # what was before has grown too old
    assert journal.resume("another", offsets[70]) == journal.start
    assert journal.resume(None, 0) == journal.start
    assert journal.resume(None, 1 << 40) == journal.start
    assert journal.end == offsets[-1] + offsets[1]


def test_offsets_never_go_backwards_over_a_lost_tail(tmp_path: Path) -> None:
    """A checkpoint was committed, then a power cut took what stood before it: it must not come to point into news."""
    with Journal(tmp_path, max_bytes=1000) as first:
        first.append(b"kept", NOW)
        checkpoint = first.end + 500_000
    with Journal(tmp_path, max_bytes=1000) as second:
        assert second.resume(second.id, checkpoint) == second.start == 0
        assert second.append(b"new", NOW) == checkpoint
    with Journal(tmp_path, max_bytes=1000) as third:
        assert third.resume(third.id, checkpoint) == checkpoint
        assert raws(third, checkpoint) == [b"new"]
        assert raws(third) == [b"kept", b"new"]
        third.append(b"x" * 500, NOW)  # what is missing takes no room


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(JournalError, match=r"file cannot be used: File exists\."):
        Journal(path, max_bytes=1000)


def test_a_journal_that_could_not_be_opened_can_be_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "touch", no_space)
        with pytest.raises(JournalFull, match="cannot be used: No space left"):
            Journal(tmp_path, max_bytes=1000)
    with Journal(tmp_path, max_bytes=1000) as journal:
        assert journal.end == 0


def test_sync_reaches_the_disk(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    journal.append(RAW, NOW)
    journal.sync()
    assert len(synced) == 1


def test_a_folder_that_may_not_be_looked_at_has_no_signatures_and_is_open_to_nobody(tmp_path: Path) -> None:
    locked = tmp_path / ("x" * 300)
    assert (signatures(locked), is_seen(locked), is_open_to_others(locked)) == ([], False, False)
