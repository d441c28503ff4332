"""`earwitness scan` as whole processes: times real time a core, what a second worker brings, memory over many files.

    python -m benchmarks.archive [--hours 8] [--files 100000]

The sound is made here: streets with events and without, as 16-bit WAV of 30 s at 16 kHz; the many files are 1 s each.
An archive is one file many times over (hard links), so it takes no disk, and is read from memory.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.process import Process
from sed.commands.bench import street_like
from sed.shipped import example_module

RATE, SECONDS = 16_000, 30.0
COMMAND = [sys.executable, "-m", "sed", "scan", "--no-summary"]
FOLDER_FILES = 1_000


def make_sounds(folder: Path) -> list[Path]:
    """Recordings of 30 s: half of them a street with a siren, shots and glass, half without an event."""
    example_module("make_street.py").make_street(folder / "street.wav")
    street, _ = soundfile.read(folder / "street.wav", dtype="float32")
    busy = np.resize(street, round(SECONDS * RATE))
    made = []
    for name, samples in (("busy", busy), ("calm", street_like(RATE, SECONDS))):
        made.append(folder / f"{name}.wav")
        soundfile.write(made[-1], samples, RATE, subtype="PCM_16")
    return made


def make_archive(folder: Path, sounds: list[Path], count: int) -> Path:
    """So many names for these sounds, a thousand in a folder."""
    for number in range(count):
        below = folder / f"{number // FOLDER_FILES:04d}"
        path = below / f"20261120_{number:08d}.wav"
        if number % FOLDER_FILES < len(sounds):  # a file system allows a file some 65,000 names, and not millions
            below.mkdir(parents=True, exist_ok=True)
            shutil.copy(sounds[number % FOLDER_FILES], path)
        else:
            path.hardlink_to(below / f"20261120_{number - len(sounds):08d}.wav")
    return folder


def scan(archive: Path, workers: int, cores: int) -> tuple[float, float]:
    """Seconds that a scan takes, its start included, and seconds of CPU of all its processes."""
    begin, used = time.perf_counter(), dict[int, float]()
    with tempfile.TemporaryDirectory() as out:
        command = [*COMMAND, str(archive), "--out", out, "--workers", str(workers), "--quiet"]
        allowed = sorted(os.sched_getaffinity(0))[:cores]
        process = subprocess.Popen(command, preexec_fn=lambda: os.sched_setaffinity(0, allowed))
        while process.poll() is None:
            used |= {pid: one.cpu for pid, one in family(process.pid)}
            time.sleep(0.05)
    assert process.returncode == 0
    return time.perf_counter() - begin, sum(used.values())


def family(pid: int) -> Iterator[tuple[int, Process]]:
    """A process and those below it, as long as they live."""
    with suppress(FileNotFoundError, ProcessLookupError, StopIteration):
        one = Process(pid)
        if one.resident and one.cpu >= 0.0:
            yield pid, one
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from family(int(child))


def speed(folder: Path, hours: float, runs: int) -> None:
    """Times real time with one worker on one core, and with one and two workers on two."""
    count = round(hours * 3600 / SECONDS)
    archive, sound = make_archive(folder / "speed", make_sounds(folder), count), count * SECONDS
    found: dict[tuple[int, int], list[tuple[float, float]]] = {(1, 1): [], (1, 2): [], (2, 2): []}
    for _ in range(runs):
        for (workers, cores), taken in found.items():
            taken.append(scan(archive, workers, cores))
    for (workers, cores), taken in found.items():
        times = sorted(sound / took for took, _ in taken)
        cpu = statistics.median(sound / used for _, used in taken)
        print(
            f"{count} files of 30 s, {workers} workers, {cores} cores: {statistics.median(times):,.0f} times real time "
            f"(of {[round(one) for one in times]}); {cpu:,.0f} s of sound a second of CPU"
        )
    pairs = zip(found[1, 2], found[2, 2], strict=True)
    ratios = sorted(one / two for (one, _), (two, _) in pairs)
    print(f"two workers to one, on two cores: {statistics.median(ratios):.2f} (of {[round(r, 2) for r in ratios]})")


def memory(folder: Path, count: int, workers: int) -> None:
    """Resident memory of the driver and of its workers while very many small files are scanned."""
    sound = folder / "second.wav"
    soundfile.write(sound, street_like(RATE, 1.0), RATE, subtype="PCM_16")
    archive, out = make_archive(folder / "many", [sound], count), folder / "out"
    begin = time.perf_counter()
    process = subprocess.Popen([*COMMAND, str(archive), "--out", str(out), "--workers", str(workers), "--quiet"])
    seen: list[list[float]] = []
    while process.poll() is None:
        time.sleep(0.5)
        sizes = [one.resident for _, one in family(process.pid)]
        if len(sizes) > 1:
            seen.append([sizes[0], max(sizes[1:])])
    took = time.perf_counter() - begin
    print(f"{count:,} files of 1 s in {took:.0f} s, {count / took:,.0f} a second, exit code {process.returncode}")
    for name, column in (("driver", 0), ("largest worker", 1)):
        values = [sizes[column] for sizes in seen]
        tenth, end = values[len(values) // 10], values[-2]
        print(f"{name}: {tenth:.0f} MB after a tenth, {end:.0f} MB at the end, {max(values):.0f} MB at most")


def main() -> None:
    """Measure speed, then memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0, help="of sound, for the speed; 0 leaves it out")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--files", type=int, default=100_000, help="for the memory; 0 leaves it out")
    parser.add_argument("--workers", type=int, default=2, help="for the memory")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.hours:
            speed(Path(folder), arguments.hours, arguments.runs)
        if arguments.files:
            memory(Path(folder), arguments.files, arguments.workers)


if __name__ == "__main__":
    main()
