"""The daemon as people run it, at speed 1: how soon it tells, and what it costs.

    python -m benchmarks.live [--minutes 4] [--sources 1 2 4] [--yamnet ../shared/peers/yamnet.tflite]

`earwitness run` is a process of its own, its microphone a source of a real PulseAudio fed here, its broker a real
Mosquitto, and this process is the other client. Delay: from the moment at which a gun shot or breaking glass begins to
sound (recordings of the test split) to its message. Cost: user and system time of the whole daemon while it hears quiet
noise. YAMNet, live in a process of its own at the same time, says what the machine is worth just then.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

import numpy as np

from benchmarks.planted import DATA, LABELS, RATE, track
from benchmarks.process import Process
from sed.broker import PrivateBroker
from sed.config import MqttConfig
from sed.model import OnnxModel
from sed.shipped import DEFAULT_MODEL, model_path
from sed.watch import Received, Subscriber
from tests.microphone import Shorts, Sound, VirtualMicrophone

START_SECONDS = 60.0
SETTLE_SECONDS = 5.0
MATCH_SECONDS = 1.0
"""An event that begins this near to where a sound was planted is that one."""

MEDIAN_MS, MOST_MS, CPU_PERCENT, MEMORY_MB = 300, 500, 2.5, 120
"""What is wanted; `MOST_MS` for 95 of 100, `CPU_PERCENT` of a core for each source."""


@dataclass(frozen=True, slots=True)
class Live:
    """A daemon that hears, and those around it."""

    process: Process
    microphone: VirtualMicrophone
    client: Subscriber


@contextmanager
def live(sources: int) -> Iterator[Live]:
    """The daemon with so many sources, all on one microphone, from when all of them hear."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        broker = opened.enter_context(PrivateBroker())
        microphone = opened.enter_context(VirtualMicrophone(folder))
        microphone.sound = looped(quiet_noise(30.0))
        microphone.plug()
        client = opened.enter_context(Subscriber(MqttConfig(url=broker.url), ["earwitness/+/+/event", "+/+/+/state"]))
        client.wait_connected(START_SECONDS)
        names = [f"source-{n}" for n in range(sources)]
        lines = ['node = "bench"', f'[mqtt]\nurl = "{broker.url}"', '[journal]\npath = "journal.db"']
        lines += [f'[[source]]\nname = "{name}"\nurl = "mic:{microphone.name}"' for name in names]
        (folder / "bench.toml").write_text("\n".join(lines))
        command = [sys.executable, "-m", "sed", "run", "-c", str(folder / "bench.toml")]
        daemon = opened.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        opened.callback(daemon.terminate)
        wait_until_hearing(client, set(names))
        yield Live(Process(daemon.pid), microphone, client)


def wait_until_hearing(client: Subscriber, names: set[str]) -> None:
    """Read states until each source has said that it hears."""
    for received in client.messages(START_SECONDS):
        if received.topic.endswith("/state") and received.json()["state"] == "hearing":
            names.discard(received.topic.split("/")[2])
        if not names:
            return
    raise SystemExit(f"never heard: {', '.join(names)}")


def quiet_noise(seconds: float) -> Shorts:
    """What a microphone in an empty yard gives."""
    return np.random.default_rng(1).normal(0.0, 60.0, round(seconds * RATE)).astype(np.int16)


def looped(samples: Shorts) -> Sound:
    """Played again and again."""
    return lambda start, end: samples[np.arange(start, end) % len(samples)]


def delays(minutes: float) -> None:
    """Play sounds, receive events, and print how long after their onsets these came."""
    if not DATA.is_dir():
        print(f"delay: skipped, there is no folder {DATA.name} with recordings beside the repository")
        return
    samples, planted = track(minutes * 60.0)
    with live(1) as running:
        began = play(running.microphone, samples)
        events = [
            received for received in heard(running.client, minutes * 60.0 + 3.0) if received.topic.endswith("/event")
        ]
    metadata = OnnxModel(model_path(DEFAULT_MODEL)).metadata
    known = 1000.0 * (metadata.ahead + metadata.hop) / metadata.frontend.sample_rate
    print(f"from onset to message, {metadata.name}: a row of scores is known {known:.0f} ms after it begins")
    both: list[float] = []
    deciding: list[timedelta] = []
    for label in LABELS:
        onsets = [began + timedelta(seconds=each.onset) for each in planted if each.label == label]
        starts = [received for received in events if is_start(received, label)]
        found = [delay for onset in onsets if (delay := delay_of(onset, starts)) is not None]
        both += found
        deciding += [received.at - moment(received, "detected_at") for received in starts]
        least = 1000.0 * metadata.rules[label].min_duration
        print(f"  {label:12}{quantiles(found)}   heard {len(found)} of {len(onsets)}, min_duration {least:.0f} ms")
    print(f"  {'both':12}{quantiles(both)}   wanted: {MEDIAN_MS} and {MOST_MS} ms")
    after = [1000.0 * each.total_seconds() for each in deciding]
    print(f"  {'of it after the deciding sample':32}{quantiles(after)}")


def play(microphone: VirtualMicrophone, samples: Shorts) -> datetime:
    """Let it be heard once, from a second from now on; returns when its first sample is."""
    bed = microphone.sound
    assert bed is not None
    first = round(((datetime.now(UTC) - microphone.begun).total_seconds() + 1.0) * RATE)

    def sound(start: int, end: int) -> Shorts:
        mixed, at = bed(start, end), np.arange(start, end) - first
        inside = (at >= 0) & (at < len(samples))
        mixed[inside] = samples[at[inside]]
        return mixed

    microphone.sound = sound
    return microphone.begun + timedelta(seconds=first / RATE)


def heard(client: Subscriber, seconds: float) -> list[Received]:
    """All that the client receives in so many seconds."""
    until = time.monotonic() + seconds
    messages: list[Received] = []
    while time.monotonic() < until:
        messages += client.messages(0.5)
    return messages


def is_start(received: Received, label: str) -> bool:
    """Whether it tells that the label begins."""
    event = received.json()
    return bool(event["phase"] == "start" and event["label"] == label)


def delay_of(onset: datetime, starts: Sequence[Received]) -> float | None:
    """Milliseconds until the message on what began there; None if there was none."""
    for received in starts:
        if abs((moment(received, "onset") - onset).total_seconds()) < MATCH_SECONDS:
            return (received.at - onset).total_seconds() * 1000.0
    return None


def moment(received: Received, key: str) -> datetime:
    """A time of an event."""
    return datetime.fromisoformat(received.json()[key])


def quantiles(values: Sequence[float]) -> str:
    """In milliseconds."""
    if not values:
        return "nothing heard"
    median, most = np.percentile(values, [50, 95])
    return f"median {median:4.0f} ms   95 % {most:4.0f} ms"


def cost(sources: int, minutes: float, yamnet: Path | None) -> None:
    """Let so many sources hear quiet noise, and print what that takes."""
    with ExitStack() as opened:
        running = opened.enter_context(live(sources))
        peer = opened.enter_context(live_yamnet(yamnet)) if yamnet else None
        time.sleep(SETTLE_SECONDS)
        each = [process for process in (running.process, peer) if process]
        before, begun = [process.cpu for process in each], time.monotonic()
        time.sleep(minutes * 60.0)
        seconds = time.monotonic() - begun
        shares = [100.0 * (process.cpu - cpu) / seconds for process, cpu in zip(each, before, strict=True)]
        memory = running.process.resident
    ratio = f"   {shares[0] / sources / shares[1]:.2f} of YAMNet's {shares[1]:.2f}" if peer else ""
    print(
        f"  {sources} sources   {shares[0] / sources:5.2f} % of a core a source{ratio}   {memory:4.0f} MB", flush=True
    )


@contextmanager
def live_yamnet(path: Path) -> Iterator[Process]:
    """YAMNet in a process of its own, a decision each 0.48 s on one thread."""
    command = [sys.executable, "-m", "benchmarks.live_yamnet", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdout is not None
        running.stdout.readline()  # it is ready
        try:
            yield Process(running.pid)
        finally:
            running.kill()


def main() -> None:
    """The delay, then the cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4.0, help="of sounds, and of each count of sources")
    parser.add_argument("--sources", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--yamnet", type=Path, help="yamnet.tflite, to compare the cost with (extra 'bench')")
    arguments = parser.parse_args()
    delays(arguments.minutes)
    print(f"cost, user and system time; wanted: {CPU_PERCENT} % of a core a source, {MEMORY_MB} MB")
    for sources in arguments.sources:
        cost(sources, arguments.minutes, arguments.yamnet)


if __name__ == "__main__":
    main()
