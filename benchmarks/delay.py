"""From the sample that makes an event certain to the message in another client, at speed 1 over a real Mosquitto.

    python benchmarks/delay.py [--minutes 4]

The sound is the street's gun shots and glass, one after the other; the daemon is its own process; this one is the other
client. A message's `detected_at` is the time of the deciding sample, on the sample clock.
"""

import argparse
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
import soundfile

from sed.broker import PrivateBroker
from sed.config import MqttConfig
from sed.shipped import example_path
from sed.watch import Subscriber

RATE = 16_000
CUTS = ((2.8, 5.0), (19.3, 21.5), (22.3, 24.5), (37.8, 40.0), (40.8, 43.0))
"""Seconds of the street that hold one short event each."""


def sound(path: Path, minutes: float) -> None:
    """Write `minutes` of short events."""
    street = path.parent / "street.wav"
    subprocess.run(
        [sys.executable, str(example_path("make_street.py")), str(street)], check=True, stdout=subprocess.DEVNULL
    )
    samples, _ = soundfile.read(street, dtype="float32")
    cuts = [samples[round(first * RATE) : round(last * RATE)] for first, last in CUTS]
    order = np.random.default_rng(0).integers(len(cuts), size=round(minutes * 60 / 2.2))
    soundfile.write(path, np.concatenate([cuts[n] for n in order]), RATE)


def main() -> None:
    """Replay, receive, and print the quantiles."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4.0)
    arguments = parser.parse_args()
    delays: dict[str, list[float]] = {"start": [], "end": []}
    with tempfile.TemporaryDirectory() as folder, PrivateBroker() as broker:
        path = Path(folder) / "events.wav"
        sound(path, arguments.minutes)
        mqtt = MqttConfig(url=broker.url)
        with Subscriber(mqtt, ["earwitness/+/replay/event"]) as client:
            client.wait_connected(5.0)
            command = [sys.executable, "-m", "sed", "replay", str(path), "--mqtt", broker.url]
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
                while process.poll() is None:
                    for received in client.messages(timeout=2.0):
                        event = received.json()
                        certain = datetime.fromisoformat(event["detected_at"])
                        delays[event["phase"]].append((received.at - certain).total_seconds() * 1000.0)
    for phase, values in {**delays, "all": delays["start"] + delays["end"]}.items():
        if values:
            median, p99 = np.percentile(values, [50, 99])
            told = f"{phase:6} {len(values):5d} messages   median {median:6.1f} ms   99 % {p99:6.1f} ms"
            print(f"{told}   most {max(values):6.1f} ms")


if __name__ == "__main__":
    main()
