"""What the driver of a scan does for each recording, and what a recording and an event take in its tables.

    python -m benchmarks.driver [--files 2000] [--update docs/scale.md]

`earwitness scan` as a whole process over recordings of 30 s, every second one with events: CPU of the driver alone, the
workers' apart, and the difference between many and few of them, so that its start does not count. All but the seconds
of a start are CPU and bytes, so they hold on a busy machine, too. --update writes the constants into that document.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pyarrow.dataset

from benchmarks.archive import COMMAND, make_archive, make_sounds
from benchmarks.process import Process
from sed.archive.seen import Seen

FEW = 200
STARTS = 5
NAMES = 1_000_000
LOOK_SECONDS = 0.01


def scan(archive: Path, out: Path, workers: int = 2) -> tuple[float, float]:
    """CPU seconds of the driver, and its memory at the end in MB."""
    command = [*COMMAND, str(archive), "--out", str(out), "--workers", str(workers), "--quiet"]
    cpu = memory = 0.0
    with subprocess.Popen(command) as process:
        driver = Process(process.pid)
        while process.poll() is None:
            with suppress(FileNotFoundError, ProcessLookupError, StopIteration):
                cpu, memory = driver.cpu, driver.resident
            time.sleep(LOOK_SECONDS)
    assert process.returncode == 0
    return cpu, memory


def scan_seconds(folder: Path, sounds: list[Path], number: int) -> float:
    """How long a scan of one recording takes: its start and its end."""
    archive, begun = make_archive(folder / f"one-{number}", sounds, 1), time.monotonic()
    scan(archive, folder / f"found-{number}", workers=1)
    return time.monotonic() - begun


def table(folder: Path) -> tuple[int, int]:
    """Rows and bytes of one of the tables."""
    size = sum(path.stat().st_size for path in folder.glob("*.parquet"))
    return pyarrow.dataset.dataset(folder).count_rows(), size


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
    sounds = make_sounds(folder)
    starts = [scan_seconds(folder, sounds, number) for number in range(STARTS)]
    few, _ = scan(make_archive(folder / "few", sounds, FEW), folder / "found-few")
    many, memory = scan(make_archive(folder / "many", sounds, FEW + files), folder / "found-many")
    rows, size = table(folder / "found-many" / "files")
    events, taken = table(folder / "found-many" / "events")
    assert rows == FEW + files
    return {
        "scan_start": round(min(starts), 1),
        "driver_cpu": round((many - few) / files * 1e6),
        "driver_memory": round(memory),
        "driver_name": round(memory_of_a_name(), 1),
        "parquet_file": round(size / rows, 1),
        "parquet_event": round(taken / events, 1),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=2_000, help=f"beside {FEW}")
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
