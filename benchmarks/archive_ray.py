"""What Ray costs: `earwitness scan` on workers of this machine, and on a Ray cluster of this machine's own.

    python -m benchmarks.archive_ray [--hours 10] [--runs 3]

Both scan the same archive twice, once three times as long: the difference is what an hour of sound takes, and what is
left over is the start, which a long job has only once. From both follows what Ray adds to a job of an hour; the CPU
seconds say the same on a machine that has other things to do.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.archive import COMMAND, SECONDS, family, make_archive, make_sounds

LONGER = 3
"""How much longer the second archive is."""

JOB_SECONDS = 3600.0

ENGINES: dict[str, tuple[str, ...]] = {"local workers": (), "Ray": ("--ray", "local")}


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a clock or of CPU: to start, and for each hour of sound."""

    start: float
    each: float

    def sound(self, seconds: float) -> float:
        """Hours of sound that are scanned in so much time."""
        return (seconds - self.start) / self.each

    def of(self, hours: float) -> float:
        """What so much sound takes."""
        return self.start + self.each * hours


def scan(archive: Path, workers: int, options: Sequence[str]) -> tuple[float, float]:
    """Seconds that a scan takes, its start and end included, and seconds of CPU of all its processes."""
    begin, used = time.perf_counter(), dict[int, float]()
    with tempfile.TemporaryDirectory() as out:
        command = [*COMMAND, str(archive), "--out", out, "--workers", str(workers), "--quiet", *options]
        process = subprocess.Popen(command)
        while process.poll() is None:
            used |= {pid: one.cpu for pid, one in family(process.pid)}
            time.sleep(0.05)
    assert process.returncode == 0
    return time.perf_counter() - begin, sum(used.values())


def cost(short: float, long: float, hours: float) -> Cost:
    """From what `hours` and LONGER times as much take."""
    each = (long - short) / (hours * (LONGER - 1))
    return Cost(short - each * hours, each)


def compare(folder: Path, hours: float, runs: int, workers: int) -> float:
    """Print what both cost; returns the percent that Ray adds to a job of an hour."""
    count = round(hours * 3600 / SECONDS)
    sounds = make_sounds(folder)
    short, long = (make_archive(folder / name, sounds, count * n) for name, n in (("short", 1), ("long", LONGER)))
    found: dict[str, list[tuple[Cost, Cost]]] = {name: [] for name in ENGINES}
    for _ in range(runs):
        for name, options in ENGINES.items():
            once, more = (scan(archive, workers, options) for archive in (short, long))
            found[name].append((cost(once[0], more[0], hours), cost(once[1], more[1], hours)))
            print(f"{name}: {hours:g} h of sound in {once[0]:.1f} s, {hours * LONGER:g} h in {more[0]:.1f} s")
    added = []
    for kind, column in (("clock", 0), ("CPU", 1)):
        here, there = (_median([one[column] for one in found[name]]) for name in ENGINES)
        for name, own in zip(ENGINES, (here, there), strict=True):
            print(f"{name}: {own.start:.1f} s of {kind} to start, {own.each:.2f} s an hour of sound")
        job = here.sound(JOB_SECONDS)
        added.append(100.0 * (there.of(job) / here.of(job) - 1.0))
        print(f"Ray adds {added[-1]:+.1f} % of {kind} to a job of an hour ({job:,.0f} h of sound)")
    return added[0]


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(statistics.median(one.start for one in costs), statistics.median(one.each for one in costs))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=10.0, help="of sound, in the shorter archive")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), arguments.hours, arguments.runs, arguments.workers)


if __name__ == "__main__":
    main()
