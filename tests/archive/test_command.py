"""`earwitness scan` as people run it: its own process, its tables, its streams and its exit codes."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest
import soundfile
from typer.testing import CliRunner

from sed.archive.ledger import FIRST_SECONDS
from sed.cli import app
from sed.errors import UsageError
from tests.broker import eventually
from tests.faults.disk import SmallDisk
from tests.test_cli import earwitness
from tests.toy import RATE, bursts, metadata, write_toy

PATIENCE = 60.0
ENVIRONMENT = os.environ | {"NO_COLOR": "1", "COLUMNS": "160", "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("model") / "toy.onnx", metadata(on=0.5, off=0.4, max_gap=0.12))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Twelve recordings of two events each."""
    for n in range(12):
        sound(tmp_path / "archive" / f"site {n % 2}" / f"20261120_0259{n:02d}.wav")
    return tmp_path / "archive"


def sound(path: Path, seconds: float = 2.5) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, bursts((0.5, 1.0), (1.8, 2.0), seconds=seconds), RATE)
    return path


def scan(out: Path, toy: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    return earwitness("scan", *arguments, "--out", out, "-m", toy, "--no-summary", "--workers", 2)


@contextlib.contextmanager
def started(out: Path, toy: Path, *arguments: object, before: Sequence[str] = ()) -> Iterator["subprocess.Popen[str]"]:
    command = [*before, sys.executable, "-m", "sed", "scan", *map(str, arguments), "--out", str(out), "-m", str(toy)]
    with subprocess.Popen(
        [*command, "--no-summary"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def rows(out: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ds.dataset(out / table, format="parquet").to_table().to_pylist()
    return found


def family(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in below for one in family(int(child)))]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_finds_what_detect_finds(tmp_path: Path, toy: Path, archive: Path) -> None:
    done = scan(tmp_path / "out", toy, archive)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("24 events in 12 recordings; 0:00:30 of sound at ")
    listed = [line.split("\t") for line in earwitness("detect", archive, "-m", toy).stdout.splitlines()[1:]]
    found = sorted(rows(tmp_path / "out", "events"), key=lambda row: (row["file"], row["onset"]))
    mine = [
        [row["file"], f"{row['onset']:.3f}", f"{row['offset']:.3f}", row["label"], f"{row['score']:.4f}"]
        for row in found
    ]
    assert mine == sorted(listed)
    assert {row["status"] for row in rows(tmp_path / "out", "files")} == {"done"}
    assert sum(row["events"] for row in rows(tmp_path / "out", "files")) == 24
    again = scan(tmp_path / "out", toy, archive)
    assert (again.returncode, again.stdout.splitlines()[0]) == (
        0, f"nothing new: 12 recordings were done before -> {tmp_path / 'out'}",
    )  # fmt: skip
    other = scan(tmp_path / "out", toy, archive, "--rule", "tone.on=0.9")
    assert other.returncode == 2
    assert "has a scan made with other settings (rules)" in other.stderr
    assert len(rows(tmp_path / "out", "files")) == 12


def test_what_cannot_be_read_is_a_row_with_its_error(tmp_path: Path, toy: Path, archive: Path) -> None:
    (archive / "page.wav").write_text("<html>")
    os.mkfifo(archive / "pipe.wav")
    (tmp_path / "list.txt").write_text("archive/site 0/20261120_025900.wav\narchive/pipe.wav\ngone.wav\n")
    done = scan(tmp_path / "out", toy, archive, "--manifest", tmp_path / "list.txt", "--time-limit", 4)
    assert done.returncode == 1
    assert sorted(done.stderr.splitlines()) == [
        f"earwitness: {archive}/page.wav: not a recording that can be read "
        "(unknown format, or the header is cut short)",
        f"earwitness: {archive}/pipe.wav: took longer than 4 s; see --time-limit",
        f"earwitness: {tmp_path}/gone.wav: no such file or folder",
    ]
    assert "24 events in 15 recordings, 1 done before, 3 failed" in done.stdout
    status = {Path(row["file"]).name: row["status"] for row in rows(tmp_path / "out", "files")}
    assert len(status) == 15
    assert (status["page.wav"], status["pipe.wav"], status["gone.wav"]) == ("failed", "timed_out", "failed")
    (archive / "pipe.wav").unlink()
    sound(archive / "pipe.wav")
    again = scan(tmp_path / "out", toy, archive, "--retry-failed")
    assert again.returncode == 1
    assert "2 events in 2 recordings, 12 done before, 1 failed" in again.stdout
    once_more = scan(tmp_path / "out", toy, archive)
    assert once_more.returncode == 1
    assert once_more.stderr == "earwitness: recordings that failed before: 1; --retry-failed scans them again\n"


def test_killed_and_gone_on_with(tmp_path: Path, toy: Path) -> None:
    """`kill -9` with rows written, rows held and recordings in hand: no row twice, none missing, no process left."""
    names = [sound(tmp_path / f"{n}.wav").name for n in range(30)]
    names[10], names[20] = "first.wav", "second.wav"
    for name in ("first.wav", "second.wav"):  # whoever opens these waits
        os.mkfifo(tmp_path / name)
    manifest, out = tmp_path / "list.txt", tmp_path / "out"
    manifest.write_text("\n".join(names))
    with started(out, toy, "--manifest", manifest, "--workers", 1) as process:
        eventually((out / "scan.json").exists, PATIENCE)
        time.sleep(FIRST_SECONDS + 0.1)  # so that the next row has those before it written, if nothing had yet
        eventually(lambda: _opened(tmp_path / "first.wav"), PATIENCE)
        eventually(lambda: list((out / "files").glob("*.parquet")), PATIENCE)
        present = family(process.pid)
        process.kill()
        process.wait()
        eventually(lambda: not any(map(lives, present)), PATIENCE)
    assert len(present) > 2
    written = len(rows(out, "files"))
    assert 0 < written < 21
    for name in ("first.wav", "second.wav"):
        (tmp_path / name).unlink()
        shutil.copy(tmp_path / "0.wav", tmp_path / name)
    done = scan(out, toy, "--manifest", manifest)
    assert f" in {30 - written} recordings, {written} done before" in done.stdout
    assert_accounted(out, [str(tmp_path / name) for name in names])


def assert_accounted(out: Path, names: list[str]) -> None:
    """Every recording has one row, and every event of it is there once."""
    files, events = rows(out, "files"), rows(out, "events")
    assert sorted(row["file"] for row in files) == sorted(names)
    found = Counter(row["file"] for row in events)
    assert {row["file"]: row["events"] for row in files if row["events"]} == found
    assert len({(row["file"], row["onset"], row["label"]) for row in events}) == len(events)


def _opened(pipe: Path) -> bool:
    """Whether somebody waited to read a pipe; to who did it is an empty file."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def test_ctrl_c_finishes_what_is_in_hand(tmp_path: Path, toy: Path) -> None:
    folder = tmp_path / "archive"
    first = sound(folder / "0.wav")
    for n in range(1, 1_000):
        (folder / f"{n}.wav").hardlink_to(first)
    out = tmp_path / "out"
    with started(out, toy, folder) as process:
        eventually(lambda: len(family(process.pid)) > 3, PATIENCE)
        for pid in family(process.pid):  # as a terminal does
            os.kill(pid, signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert told.splitlines() == [
        "",
        "earwitness: finishing what is in hand; Ctrl-C again ends it at once",
        f"earwitness: stopped; the same command goes on from here (--out {out})",
    ]
    written = len(rows(out, "files"))
    assert written < 1_000
    assert scan(out, toy, folder).returncode == 0
    assert_accounted(out, [str(path) for path in folder.iterdir()])


def test_a_full_disk(tmp_path: Path, toy: Path, archive: Path) -> None:
    """One line and exit code 1; once there is room the same command goes on."""
    disk = SmallDisk(tmp_path)
    out = disk.path / "out"
    earlier = scan(tmp_path / "earlier", toy, f"{archive}/site 0")
    assert earlier.returncode == 0
    copy = f"cp -r {tmp_path}/earlier {out} && cat /dev/zero > {disk.path}/filler; "  # room for nothing more
    show = f'"$@"; echo "code $?"; rm {disk.path}/filler; "$@"; echo "code $?"; cp -r {out} {tmp_path}/later'
    command = [sys.executable, "-m", "sed", "scan", archive, "--out", out, "-m", toy, "--no-summary", "--workers", "1"]
    done = subprocess.run(
        [*disk.before, "sh", "-c", copy + show, "sh", *map(str, command)],
        capture_output=True, text=True, check=False, timeout=PATIENCE, env=ENVIRONMENT,
    )  # fmt: skip
    assert [line for line in done.stdout.splitlines() if line.startswith("code")] == ["code 1", "code 0"]
    assert [line for line in done.stderr.splitlines() if line.startswith("earwitness")] == [
        f"earwitness: {out}: cannot be written (No space left on device); see to it, and give the same command again: "
        "it goes on where it stopped"
    ]
    assert_accounted(tmp_path / "later", [str(path) for path in archive.rglob("*.wav")])


def test_wrong_use_is_one_line(tmp_path: Path, toy: Path) -> None:
    done = scan(tmp_path / "out", toy, tmp_path / "gone")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"earwitness: {tmp_path}/gone: no such file or folder\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.wav"], "scan: needs --out DIR, a folder for the tables"),
        (["--out", "o"], "scan: needs a SOURCE (a folder, a glob, a recording, a URL) or --manifest FILE"),
        (["--out", "o", "empty"], "empty: no recordings in this folder (looked for .aif"),
        (["--out", "o", "a.wav", "--timezone", "Mars"], "--timezone Mars: not known here; as Europe/Berlin, or UTC"),
        (["--out", "o", "a.wav", "--time-format", "%H"], "--time-format %H: needs a year at least"),
        (["--out", "o", "a.wav", "--channel", "left"], "--channel left: need a number from 0, or 'mix'"),
        (["--out", "o", "a.wav", "--rule", "siren.on=2"], "siren.on"),
        (["--out", "o", "--manifest", "gone.csv"], "--manifest gone.csv: cannot be read (No such file or directory)"),
        (["--out", "o", "nosuch://a/b"], "nosuch://a/b: cannot be listed (Protocol not known: nosuch)"),
        (["--out", "a.wav", "a.wav"], "--out a.wav: cannot be used"),
        (["--out", "o", "--summary-only"], "o: nothing was scanned into this folder yet"),
    ],
)
def test_what_is_wrong_is_said(
    tmp_path: Path, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound(tmp_path / "a.wav")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    error = CliRunner().invoke(app, ["scan", *arguments]).exception
    assert isinstance(error, UsageError)
    assert message in str(error)
    assert "\n" not in str(error)


def test_without_the_extra(tmp_path: Path, toy: Path) -> None:
    """As an install without it is: its modules cannot be imported."""
    (tmp_path / "pyarrow.py").write_text("raise ModuleNotFoundError(name='pyarrow')")
    done = subprocess.run(
        [sys.executable, "-m", "sed", "scan", str(sound(tmp_path / "a.wav")), "--out", str(tmp_path / "out")],
        capture_output=True, text=True, check=False, env=ENVIRONMENT | {"PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "earwitness: scan: needs pyarrow; pip install 'earwitness[scan]'\n")


def test_split_recordings_are_compared_with_the_whole(tmp_path: Path, toy: Path) -> None:
    path = sound(tmp_path / "long.wav", seconds=30.0)
    done = scan(tmp_path / "out", toy, path, "--split", 5, "--warm-up", 1)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1] == (
        f"split: {path} in 6 pieces, each after 1 s of warm-up, against the whole: 2 events the same, "
        "0 only in the whole, 0 only in the pieces; scores differ by 0 at most"
    )
    (row,) = rows(tmp_path / "out", "files")
    assert (row["status"], row["pieces"], row["events"], row["duration"]) == ("done", 6, 2, 30.0)
