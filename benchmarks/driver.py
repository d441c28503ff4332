"""What the driver of a scan does for each recording, and what a recording and an event take in its tables.

    python -m benchmarks.driver [--files 4000] [--update docs/scale.md]

`earwitness scan` as a whole process over recordings that are dealt out as those of 30 s are, but heard in no time: CPU
of the driver alone, and the difference between many and few, so that its start does not count. Then tables of made-up
events, no two alike. All but the seconds of a start are CPU and bytes. --update puts the constants into that document.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import soundfile

from benchmarks.archive import RATE, make_archive
from benchmarks.process import Process
from sed.archive.engine import Order, Outcome, Recording
from sed.archive.ledger import LARGEST
from sed.archive.parts import write_part
from sed.archive.rows import EVENTS, FILES, event_rows, file_row
from sed.archive.seen import Seen
from sed.commands.bench import street_like
from sed.formats import Detection

FEW, STARTS, NAMES = 500, 5, 1_000_000
WEIGHT = 960_000
"""Bytes of 30 s of sound; how many recordings go into a job is decided by that."""
LONG_SCAN = """
from sed.archive import ledger
from sed.cli import main
ledger.FIRST_SECONDS = ledger.LAST_SECONDS
main()
"""
"""`earwitness`, which writes its tables from the start on as seldom as after an hour."""
LOOK_SECONDS = 0.01


def heavy_second(path: Path) -> Path:
    """A WAV of one second that weighs as much as 30, by a chunk that is skipped."""
    soundfile.write(path, street_like(RATE, 1.0), RATE, subtype="PCM_16")
    sound = path.read_bytes()
    rest = WEIGHT - len(sound) - 8
    whole = sound + b"junk" + rest.to_bytes(4, "little") + bytes(rest)
    path.write_bytes(whole[:4] + (len(whole) - 8).to_bytes(4, "little") + whole[8:])
    return path


def scan(archive: Path, out: Path, workers: int = 2) -> tuple[float, float]:
    """CPU seconds of the driver, and its memory at the end in MB."""
    options = ["--out", str(out), "--workers", str(workers), "--quiet", "--no-summary"]
    command = [sys.executable, "-c", LONG_SCAN, "scan", str(archive), *options]
    cpu = memory = 0.0
    with subprocess.Popen(command) as process:
        driver = Process(process.pid)
        while process.poll() is None:
            with suppress(FileNotFoundError, ProcessLookupError, StopIteration):
                cpu, memory = driver.cpu, driver.resident
            time.sleep(LOOK_SECONDS)
    assert process.returncode == 0
    return cpu, memory


def scan_seconds(folder: Path, sound: Path, number: int) -> float:
    """How long a scan of one recording takes: its start and its end."""
    archive, begun = make_archive(folder / f"one-{number}", [sound], 1), time.monotonic()
    scan(archive, folder / f"found-{number}", workers=1)
    return time.monotonic() - begun


def made_up(number: int, chance: random.Random) -> Outcome:
    """A recording of 30 s with one event, as an archive may have it."""
    begins = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=30 * number)
    name = f"s3://archive/2026/site-{number % 7}/{begins:%Y%m%d_%H%M%S}.flac"
    onset, score = chance.uniform(0.0, 25.0), chance.uniform(0.5, 1.0)
    label = chance.choice(["siren", "gun_shot", "glass_break"])
    heard = Detection(name, onset, onset + chance.uniform(0.1, 4.0), label, score, -30.0 * chance.random())
    known = Recording(name, 500_000 + chance.randrange(99_999))
    return Outcome(
        known, detections=(heard,), duration=30.0, sample_rate=RATE, channels=1, begins=begins, time_source="name",
        seconds_taken=chance.uniform(0.02, 0.05),
    )  # fmt: skip


def row_bytes(path: Path) -> tuple[float, float]:
    """What a row takes in a whole part of the table of files, and in one of events."""
    chance, order = random.Random(0), Order(b"", "earwitness-1", "0" * 64, {})  # noqa: S311 - the same each time
    outcomes = [made_up(number, chance) for number in range(LARGEST)]
    write_part(path, pa.Table.from_pylist([file_row(one, order) for one in outcomes], FILES.schema))
    of_file = path.stat().st_size / LARGEST
    write_part(path, pa.Table.from_pylist([row for one in outcomes for row in event_rows(one)], EVENTS.schema))
    return of_file, path.stat().st_size / LARGEST


def memory_of_a_name() -> float:
    """Bytes that the driver needs to know a recording again, with a million of them."""
    tracemalloc.start()
    seen = Seen()
    seen.update(f"2026/11/20/{number:08d}.wav" for number in range(NAMES))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / len(seen)


def measure(folder: Path, files: int) -> dict[str, float]:
    """By the names that docs/scale.md has for them."""
    sound = heavy_second(folder / "second.wav")
    starts = [scan_seconds(folder, sound, number) for number in range(STARTS)]
    few, _ = scan(make_archive(folder / "few", [sound], FEW), folder / "found-few")
    many, memory = scan(make_archive(folder / "many", [sound], FEW + files), folder / "found-many")
    of_file, of_event = row_bytes(folder / "part")
    return {
        "scan_start": round(min(starts), 1),
        "driver_cpu": round((many - few) / files * 1e6),
        "driver_memory": round(memory),
        "driver_name": round(memory_of_a_name(), 1),
        "parquet_file": round(of_file, 1),
        "parquet_event": round(of_event, 1),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=4_000, help=f"beside {FEW}")
    parser.add_argument("--update", type=Path, metavar="FILE", help="put the constants into its table")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), arguments.files)
    print("\n".join(f"{name} = {value:g}" for name, value in found.items()))
    if arguments.update:
        from benchmarks.scaledoc import update

        update(arguments.update, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
