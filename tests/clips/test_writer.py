"""The writer's thread and its folder: real disks that are full, not there, not writable or too slow."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sed.clips import queue, writer
from sed.clips.clip import Clip
from sed.clips.folder import ClipFolder
from sed.clips.queue import ClipQueue
from sed.clips.writer import Bounds, ClipWriter
from sed.signals import Block, Floats, new_id
from tests.broker import eventually
from tests.toy import RATE

ROOT = Path(__file__).parents[2]
NOISE = (np.random.default_rng(0).normal(0.0, 0.1, 4 * RATE)).astype(np.float32)


@pytest.fixture
def writing() -> Iterator[ClipWriter]:
    made = ClipWriter()
    yield made
    made.close(30.0)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 kB; only root can have one."""
    where = tmp_path / "disk"
    where.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(where)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield where
    subprocess.run(["umount", str(where)], check=True)


def bounds(where: Path, max_age: float = 1e6, max_bytes: int = 10**9) -> Bounds:
    return Bounds(ClipFolder(where), max_age, max_bytes)


def recorded(writing: ClipWriter, where: Path, samples: Floats = NOISE, start: int = 100) -> Clip:
    """A clip handed over in blocks, and finished."""
    clip = Clip(where / f"{new_id()}.flac", RATE, {"title": "siren"}, start)
    for at in range(0, len(samples), RATE // 10):
        writing.write(clip, Block(start + at, samples[at : at + RATE // 10]))
    writing.finish(clip)
    return clip


def names(where: Path) -> list[str]:
    return sorted(path.name for path in where.iterdir())


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records]


def test_a_full_disk_costs_clips_is_told_once_and_is_used_again_when_it_has_room(
    writing: ClipWriter, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    where = disk / "clips"
    writing.allow(bounds(where))
    (disk / "ballast").write_bytes(bytes(200_000))
    clips = [recorded(writing, where) for _ in range(3)]
    eventually(lambda: writing.lost == 3)
    assert all(clip.failed for clip in clips)
    assert names(where) == []  # nor is anything left over
    (disk / "ballast").unlink()
    clip = recorded(writing, where)
    eventually(lambda: writing.written == 1)
    assert names(where) == [clip.name]
    assert len(soundfile.read(clip.path)[0]) == len(NOISE)
    assert lines(caplog) == [
        f"clips {where}: no space left on device; free some space there, or lower clips.max_size; "
        "events go on without clips",
        f"clips {where}: they can be written again, 3 were lost",
    ]


def test_a_file_that_may_not_grow_is_no_crash_either(
    writing: ClipWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As with a quota; it needs no disk of our own."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        writing.allow(bounds(tmp_path))
        recorded(writing, tmp_path)
        eventually(lambda: writing.lost == 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names(tmp_path) == []
    (line,) = lines(caplog)
    assert line.startswith(f"clips {tmp_path}: file too large; ")


def test_a_folder_that_cannot_be_made_is_told_at_once_and_tried_again(
    writing: ClipWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As root all folders are writable, so it is a file that stands in the way."""
    (tmp_path / "state").touch()
    where = tmp_path / "state" / "clips"
    writing.allow(bounds(where))
    eventually(lambda: lines(caplog))  # before there is any event
    recorded(writing, where)
    eventually(lambda: writing.lost == 1)
    (tmp_path / "state").unlink()
    clip = recorded(writing, where)
    eventually(lambda: writing.written == 1)
    assert clip.path.exists()
    assert where.stat().st_mode & 0o777 == 0o700  # clips are nobody else's business
    assert lines(caplog) == [
        f"clips {where}: not a directory; check the disk, or set another clips.path; events go on without clips",
        f"clips {where}: they can be written again, 1 were lost",
    ]


BY_NOBODY = """
import os, pathlib, sys
from sed.clips.writer import ClipWriter
from sed.logs import begin
from tests.clips.test_writer import bounds, eventually, recorded
os.setuid(65534)
begin("warning")
writing, where = ClipWriter(), pathlib.Path(sys.argv[1])
writing.allow(bounds(where))
recorded(writing, where)
eventually(lambda: writing.lost == 1)
writing.close(30.0)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_folder_of_somebody_else_is_told_with_what_to_do() -> None:
    with TemporaryDirectory() as where:
        Path(where).chmod(0o755)
        command = [sys.executable, "-c", BY_NOBODY, where]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=240)
        assert not list(Path(where).iterdir())
    (line,) = done.stderr.splitlines()
    advice = "make it writable for this user, or set another clips.path; events go on without clips"
    assert line.endswith(f"error clips {where}: permission denied; {advice}")


def test_a_disk_that_hangs_makes_nobody_wait_and_takes_no_more_memory(
    writing: ClipWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not started yet, which is as slow as a disk can be."""
    early = Clip(tmp_path / f"{new_id()}.flac", RATE, {}, 0)
    for at in range(0, 2 * queue.LIMIT, RATE):
        writing.write(early, Block(at, NOISE[:RATE]))
    assert writing._queue._samples <= queue.LIMIT
    assert writing.dropped == len(range(0, 2 * queue.LIMIT, RATE)) * RATE - queue.LIMIT // RATE * RATE
    assert not writing.ready()
    assert writing.lost == 1
    writing.allow(bounds(tmp_path))
    eventually(lambda: writing.dropped and writing.ready())
    writing.write(early, Block(2 * queue.LIMIT, NOISE[:RATE]))
    writing.finish(early)
    eventually(early.path.exists)
    samples, _ = soundfile.read(early.path, dtype="float32")
    kept = queue.LIMIT // RATE * RATE
    assert len(samples) == 2 * queue.LIMIT + RATE
    assert not samples[kept : 2 * queue.LIMIT].any()
    np.testing.assert_allclose(samples[-RATE:], NOISE[:RATE], atol=1 / 65_536)
    np.testing.assert_allclose(samples[kept - RATE : kept], NOISE[:RATE], atol=1 / 65_536)
    assert lines(caplog) == [
        f"clips {tmp_path}: the disk is too slow, sound is left out of clips",
        f"clips: the disk keeps up again, {writing.dropped} samples were left out",
    ]


def test_what_is_too_loud_is_cut_off_at_full_scale(writing: ClipWriter, tmp_path: Path) -> None:
    writing.allow(bounds(tmp_path))
    clip = recorded(writing, tmp_path, np.array([2.0, -3.0, 1.0, -1.0, 0.5 / 32_768 + 1e-6], np.float32))
    eventually(clip.path.exists)
    assert soundfile.read(clip.path, dtype="int16")[0].tolist() == [32_767, -32_768, 32_767, -32_768, 1]


def test_left_overs_of_a_process_that_died_are_deleted_and_nothing_else(
    writing: ClipWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole, half = tmp_path / f"{new_id()}.flac", tmp_path / f"{new_id()}.flac.part"
    strange = [tmp_path / name for name in ("notes.txt", "song.flac", "song.flac.part")]
    for path in (whole, half, *strange):
        path.touch()
    (tmp_path / f"{new_id()}.flac.part").mkdir()
    writing.allow(bounds(tmp_path, max_age=1e9))
    eventually(lambda: not half.exists())
    writing.close(30.0)
    assert all(path.exists() for path in (whole, *strange))
    assert lines(caplog) == [f"clips {tmp_path}: deleted 1 that were never finished"]


def test_another_bound_deletes_nothing_that_is_being_written(writing: ClipWriter, tmp_path: Path) -> None:
    places = [tmp_path / "a", tmp_path / "b"]
    writing.allow(bounds(places[0]))
    clip = Clip(places[0] / f"{new_id()}.flac", RATE, {}, 0)
    writing.write(clip, Block(0, NOISE))
    eventually(lambda: names(tmp_path) == ["a"] and names(places[0]))
    for where in reversed(places):
        writing.allow(bounds(where))
        eventually(lambda: str(writing._cleared).endswith(where.name))  # noqa: B023 - asked at once
    writing.finish(clip)
    eventually(clip.path.exists)


def aged(where: Path, age: float, size: int, now: float) -> Path:
    path = where / f"{new_id()}.flac"
    path.write_bytes(bytes(size))
    os.utime(path, (now - age, now - age))
    return path


@given(
    clips=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 500)), max_size=12, unique_by=lambda clip: clip[0]),
    max_age=st.integers(0, 1000),
    max_bytes=st.integers(0, 2000),
)
def test_the_oldest_go_first_until_the_rest_is_young_and_small_enough(
    tmp_path_factory: pytest.TempPathFactory, clips: list[tuple[int, int]], max_age: int, max_bytes: int
) -> None:
    where, now = tmp_path_factory.mktemp("clips"), 1e9
    made = {aged(where, age, size, now): (age, size) for age, size in clips}
    (where / "song.flac").write_bytes(bytes(5000))
    deleted = ClipFolder(where).keep(max_age, max_bytes, now)
    left = {path: made[path] for path in made if path.exists()}
    gone = {path: made[path] for path in made if path not in left}
    assert deleted == len(gone)
    assert (where / "song.flac").exists()
    ages = sorted(age for age, _ in left.values())
    assert all(age >= max(ages, default=0) for age, _ in gone.values())
    assert all(age <= max_age for age in ages)
    total = sum(size for _, size in left.values())
    assert total <= max_bytes or len(left) == 1
    if gone:  # not one more than had to
        age, size = min(gone.values())
        assert age > max_age or total + size > max_bytes


def test_the_folder_is_kept_within_its_bounds_after_each_clip(writing: ClipWriter, tmp_path: Path) -> None:
    writing.allow(bounds(tmp_path, max_bytes=300_000))
    clips = [recorded(writing, tmp_path) for _ in range(6)]
    eventually(lambda: writing.deleted == 4)
    assert names(tmp_path) == sorted(clip.name for clip in clips[4:])
    writing.allow(bounds(tmp_path, max_age=0.0))
    eventually(lambda: writing.deleted == 6)
    assert names(tmp_path) == []


def test_clips_that_grow_too_old_go_while_nothing_happens(
    writing: ClipWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "KEEP_SECONDS", 0.05)
    old = aged(tmp_path, 100.0, 10, datetime.now(UTC).timestamp())
    writing.allow(bounds(tmp_path, max_age=101.0))
    eventually(lambda: not old.exists())


def test_only_an_event_has_a_clip(tmp_path: Path) -> None:
    folder, name = ClipFolder(tmp_path / "clips"), new_id()
    assert (folder.path(name), folder.ids()) == (None, [])
    folder.make()
    (folder.where / f"{name}.flac").touch()
    secret = tmp_path / f"{new_id()}.flac"
    secret.touch()
    linked = new_id()
    (folder.where / f"{linked}.flac").symlink_to(secret)
    assert folder.path(name) == folder.where / f"{name}.flac"
    assert folder.ids() == sorted([name, linked])
    for wrong in ("", ".", "..", f"../{secret.stem}", f"{name}.flac", f"{name}\n", name.lower(), f"/{name}", linked):
        assert folder.path(wrong) is None


def test_privacy_comes_before_what_waits(tmp_path: Path) -> None:
    writing = ClipWriter()
    clips = [recorded(writing, tmp_path / "clips") for _ in range(3)]  # not started yet: all of it waits
    writing.forbid()
    writing.start()
    writing.close(30.0)
    assert all(clip.failed for clip in clips)
    assert not (tmp_path / "clips").exists()


def test_the_queue_gives_what_was_put_in_order_and_its_end() -> None:
    waiting, clip = ClipQueue(limit=10), Clip(Path("a.flac"), RATE, {}, 0)
    blocks = [Block(n, NOISE[:4]) for n in range(3)]
    assert [waiting.put(clip, block) for block in blocks] == [True, True, False]
    assert waiting.put(clip, None)
    waiting.close()
    got = []
    while not waiting.over:
        got.append(waiting.get(1.0))
    assert got == [(clip, blocks[0]), (clip, blocks[1]), (clip, None)]
    assert waiting.get(1.0) is None
