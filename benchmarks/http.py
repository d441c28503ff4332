"""What the page and the API cost the daemon: recordings that are classified, and a viewer.

    python -m benchmarks.http [--seconds 30]

`earwitness run` with the shipped model is a process of its own, bound to one core, and listens to quiet noise at real
time. Wanted: a 4 s clip in a median of 40 ms; 20 of them a second without a lost sample; a viewer under 2 % of a core.
"""

import argparse
import http.client
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import soundfile

from benchmarks.process import Process
from tests.broker import free_port

RATE = 16_000
START_SECONDS, SETTLE_SECONDS = 60.0, 5.0
MEDIAN_MS, A_SECOND, VIEWER_PERCENT = 40.0, 20, 2.0


class Daemon:
    """One that runs."""

    def __init__(self, pid: int, port: int) -> None:
        self.process, self._port = Process(pid), port

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Over a connection of its own."""
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=30.0)) as connection:
            connection.request("GET" if body is None else "POST", path, body)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def classify(self, clip: bytes) -> tuple[int, float]:
        """The status, and the milliseconds that it took."""
        began = time.perf_counter()
        status, _ = self.ask("/classify", clip)
        return status, 1000.0 * (time.perf_counter() - began)

    def dropped(self) -> int:
        """Samples that never reached the detector."""
        (source,) = json.loads(self.ask("/sources")[1])["sources"]
        return int(source["dropped_samples"])

    def share(self, seconds: float, meanwhile: Callable[[], Any] = lambda: None) -> float:
        """Percent of a core over so many seconds; `meanwhile` may take some of them."""
        before, began = self.process.cpu, time.monotonic()
        meanwhile()
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        return 100.0 * (self.process.cpu - before) / (time.monotonic() - began)

    def watch(self, over: threading.Event, read: Counter[str]) -> None:
        """As a browser does, until it is over; bytes and messages are counted."""
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=30.0)) as connection:
            connection.request("GET", "/stream")
            answer = connection.getresponse()
            while not over.is_set() and (line := answer.readline()):
                read["bytes"] += len(line)
                read["sound"] += line == b"event: sound\n"


@contextmanager
def daemon(sound: npt.NDArray[Any], told: int | IO[str] = subprocess.DEVNULL) -> Iterator[Daemon]:
    """On one core, from when it hears `sound`; its JSON lines go to `told`."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        soundfile.write(folder / "sound.wav", sound, RATE)
        lines = ['node = "bench"', f"[http]\nport = {port}", '[journal]\npath = "journal.db"']
        lines += ['[[source]]\nname = "yard"\nurl = "file:sound.wav"']
        (folder / "bench.toml").write_text("\n".join(lines))
        command = [sys.executable, "-m", "sed", "run", "-c", str(folder / "bench.toml")]
        with subprocess.Popen(command, stdout=told) as running:
            os.sched_setaffinity(running.pid, {min(os.sched_getaffinity(0))})
            try:
                yield started(Daemon(running.pid, port))
            finally:
                running.terminate()


def started(running: Daemon) -> Daemon:
    """Wait until it is ready."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            if running.ask("/readyz")[0] == 200:
                time.sleep(SETTLE_SECONDS)
                return running
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("the daemon did not get ready")


def quiet() -> npt.NDArray[Any]:
    """A quarter of an hour in which nothing happens."""
    return np.random.default_rng(1).normal(0.0, 0.002, 900 * RATE)


def clip() -> bytes:
    """Four seconds of noise that gets louder, as a WAV."""
    noise = np.random.default_rng(2).normal(0.0, 0.1, 4 * RATE) * np.linspace(0.0, 1.0, 4 * RATE)
    soundfile.write(target := io.BytesIO(), noise, RATE, format="WAV")
    return target.getvalue()


def one_by_one(running: Daemon, sound: bytes, count: int) -> None:
    """Each when the one before is answered."""
    running.classify(sound)
    before = running.process.cpu
    took = [running.classify(sound)[1] for _ in range(count)]
    cpu = 1000.0 * (running.process.cpu - before) / count
    most = statistics.quantiles(took, n=20)[-1]
    print(
        f"/classify, 4 s, {count} in a row: median {statistics.median(took):.1f} ms (wanted {MEDIAN_MS:g}), "
        f"95 % {most:.1f} ms; {cpu:.1f} ms of the processor each"
    )


def many(running: Daemon, sound: bytes, seconds: float) -> None:
    """So many a second, whatever becomes of those before."""
    before, cpu, began = running.dropped(), running.process.cpu, time.monotonic()
    with ThreadPoolExecutor(A_SECOND) as crowd:
        asked = []
        for n in range(round(seconds * A_SECOND)):
            time.sleep(max(0.0, began + n / A_SECOND - time.monotonic()))
            asked.append(crowd.submit(running.classify, sound))
        answers = [each.result() for each in asked]
    lasted = time.monotonic() - began
    took = [each for status, each in answers if status == 200]
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(Counter(s for s, _ in answers).items()))
    share = 100.0 * (running.process.cpu - cpu) / lasted
    median = f"median {statistics.median(took):.1f} ms" if took else "none answered"
    print(
        f"{A_SECOND} a second for {seconds:g} s: {statuses}; {median}; the daemon at {share:.0f} % of a core; "
        f"{running.dropped() - before} samples lost"
    )


def viewer(running: Daemon, seconds: float) -> None:
    """What one who watches costs."""
    over, read = threading.Event(), Counter[str]()
    alone = running.share(seconds)
    watching = threading.Thread(target=running.watch, args=[over, read])
    watching.start()
    watched = running.share(seconds)
    over.set()
    watching.join()
    traffic = f"{read['sound'] / seconds:.1f} messages of sound and {read['bytes'] / seconds / 1000:.1f} kB a second"
    print(
        f"one viewer: {watched - alone:.2f} % of a core (wanted {VIEWER_PERCENT:g}), {watched:.2f} with and "
        f"{alone:.2f} without; {traffic}"
    )


def main() -> None:
    """All three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each part")
    arguments = parser.parse_args()
    with daemon(quiet()) as running:
        one_by_one(running, clip(), 100)
        many(running, clip(), arguments.seconds)
        viewer(running, arguments.seconds)
        print(f"memory: {running.process.resident:.0f} MB")


if __name__ == "__main__":
    main()
