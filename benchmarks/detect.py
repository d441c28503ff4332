"""`earwitness detect` as a whole process on one core: speed on an hour, time to the first event, memory over a day.

    python benchmarks/detect.py [--hours 24]

The sound is made here: noise with a burst each two seconds; the day comes through a pipe, so it takes no disk.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import soundfile

from sed.commands.bench import street_like
from sed.shipped import example_path

RATE = 16_000
COMMAND = [sys.executable, "-m", "sed", "detect", "--format", "tsv", "--quiet"]


def one_core() -> None:
    """Keep the child on a single processor."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def hour(folder: Path, runs: int) -> None:
    """Times real time on an hour of 16-bit WAV, the start of the process included."""
    path = folder / "hour.wav"
    soundfile.write(path, np.tile(street_like(RATE, 60.0), 60), RATE)
    speeds = []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run([*COMMAND, str(path)], check=True, stdout=subprocess.DEVNULL, preexec_fn=one_core)
        speeds.append(3600.0 / (time.perf_counter() - begin))
    print(f"one hour: {statistics.median(speeds):.0f} times real time (of {sorted(round(s) for s in speeds)})")


def first_event(folder: Path, runs: int) -> None:
    """Seconds from the start of the process to the first event of a five-second file on its standard output."""
    street, path = folder / "street.wav", folder / "five.wav"
    make = [sys.executable, str(example_path("make_street.py")), str(street)]
    subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
    sound, rate = soundfile.read(street, dtype="int16")
    soundfile.write(path, sound[: 5 * rate], rate)  # glass breaks in its third second
    seconds = []
    for _ in range(runs):
        begin = time.perf_counter()
        with subprocess.Popen([*COMMAND, str(path)], stdout=subprocess.PIPE, text=True, preexec_fn=one_core) as process:
            assert process.stdout is not None
            process.stdout.readline()  # the header
            assert process.stdout.readline(), "no event in the five seconds"
            seconds.append(time.perf_counter() - begin)
    print(
        f"first event: {statistics.median(seconds):.2f} s after the start (of {sorted(round(s, 2) for s in seconds)})"
    )


def day(hours: float) -> None:
    """Resident memory while `hours` of sound flow through a pipe."""
    minute = (street_like(RATE, 60.0) * 32_767).astype("<i2").tobytes()
    header = b"RIFF\xff\xff\xff\xffWAVEfmt " + (16).to_bytes(4, "little")
    header += b"\x01\x00\x01\x00" + RATE.to_bytes(4, "little") + (2 * RATE).to_bytes(4, "little") + b"\x02\x00\x10\x00"
    process = subprocess.Popen([*COMMAND, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, preexec_fn=one_core)
    sizes: list[tuple[float, float]] = []
    over = threading.Event()

    def sample() -> None:
        begin = time.monotonic()
        while not over.wait(0.5):
            with Path(f"/proc/{process.pid}/status").open() as status:
                found = [line for line in status if line.startswith("VmRSS")]
            if found:
                sizes.append((time.monotonic() - begin, int(found[0].split()[1]) / 1024))

    sampler = threading.Thread(target=sample)
    sampler.start()
    assert process.stdin is not None
    process.stdin.write(header + b"data\xff\xff\xff\xff")
    for _ in range(round(hours * 60)):
        process.stdin.write(minute)
    over.set()
    sampler.join()
    process.stdin.close()
    process.wait()
    early = [size for seconds, size in sizes if seconds > sizes[-1][0] * 0.1][:10]
    late = [size for _, size in sizes[-10:]]
    grown = f"after a tenth {statistics.median(early):.1f} MiB, at the end {statistics.median(late):.1f} MiB"
    highest = max(size for _, size in sizes)
    print(f"{hours:g} h through a pipe: exit code {process.returncode}, highest {highest:.0f} MiB; {grown}")


def main() -> None:
    """Run all three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0, help="for the memory")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        first_event(Path(folder), arguments.runs)
        hour(Path(folder), arguments.runs)
    day(arguments.hours)


if __name__ == "__main__":
    main()
