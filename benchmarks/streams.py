"""What a stream costs when many are scored together, and sixteen satellites into one box on one core.

    python -m benchmarks.streams [--seconds 30] [--plot benchmarks/streams.png]

First frames, scores and events of 1 to 64 streams of noise, 40 ms of each in a turn, alone and together in the same
run: CPU time of this thread, the best of five. Then `earwitness run` as a process of its own, bound to one core, with
sixteen satellites over real sockets in real time: what it uses, and whether it lost a sample.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.process import Process
from sed.frontend import LogMel, push_all
from sed.level import LevelMeter
from sed.message import Clock
from sed.model import OnnxModel, step_all
from sed.pipeline import Detector
from sed.postprocess import Tracker
from sed.ring import RingBuffer
from sed.satellite.sender import Sender
from sed.shipped import DEFAULT_MODEL, model_path
from sed.signals import Block, Floats, State

STREAMS = (1, 2, 4, 8, 16, 32, 64)
SATELLITES = 16
TURN = 640
"""Samples: 40 ms."""

TURNS = 100
REPEATS = 5
RATE = 16_000


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU milliseconds for a second of one stream."""

    streams: int
    alone: float
    together: float


class Stage:
    """As many streams as are wanted, each with all of its stages."""

    def __init__(self, model: OnnxModel, streams: int) -> None:
        meta = model.metadata
        self.models = [model.another() for _ in range(streams)]
        self.mels = [LogMel(meta.frontend) for _ in range(streams)]
        self.detectors = [
            Detector(mel, one, Tracker(meta.labels, meta.rules, RATE), LevelMeter(RATE))
            for mel, one in zip(self.mels, self.models, strict=True)
        ]

    def alone(self, blocks: Sequence[Block]) -> None:
        """One after the other."""
        for detector, block in zip(self.detectors, blocks, strict=True):
            detector.hear(block)

    def together(self, blocks: Sequence[Block]) -> None:
        """All at once, as `sed.choir` does it."""
        for detector, block in zip(self.detectors, blocks, strict=True):
            detector.meet(block)
        for detector, scores in zip(self.detectors, step_all(self.models, push_all(self.mels, blocks)), strict=True):
            detector.tell(scores)


def cost(model: OnnxModel, streams: int) -> Cost:
    """Both ways in turn, so that whatever else the machine does hits both."""
    noise = np.random.default_rng(0).normal(0.0, 0.01, (TURNS * TURN,)).astype(np.float32)
    turns = [[Block(n * TURN, noise[n * TURN : (n + 1) * TURN])] * streams for n in range(TURNS)]
    best = {"alone": np.inf, "together": np.inf}
    for _ in range(REPEATS):
        for way in best:
            act: Callable[[Sequence[Block]], None] = getattr(Stage(model, streams), way)
            act(turns[0])
            begin = time.thread_time()
            for blocks in turns[1:]:
                act(blocks)
            best[way] = min(best[way], time.thread_time() - begin)
    seconds = streams * (TURNS - 1) * TURN / RATE
    return Cost(streams, best["alone"] / seconds * 1000.0, best["together"] / seconds * 1000.0)


class Noise:
    """A microphone that hears noise, in real time, from a thread that feeds all of them."""

    def __init__(self) -> None:
        self.ring = RingBuffer(10 * RATE)
        self.clock = Clock(datetime.now(UTC), RATE)
        self.state: State = "hearing"
        self.reason = ""

    def stop(self) -> None:
        """No more."""
        self.ring.close()


def live(seconds: float, port: int) -> str:
    """Sixteen satellites for so long; what came of it, in one line."""
    names = [f"s{n}" for n in range(SATELLITES)]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
        config, log = Path(folder) / "box.toml", Path(folder) / "log"
        sources = "".join(f'[[source]]\nname = "{name}"\nurl = "zmq+tcp://127.0.0.1:{port}"\n' for name in names)
        config.write_text(f'node = "box"\n{sources}[journal]\npath = "j.db"\n')
        command = ["taskset", "-c", "0", sys.executable, "-m", "sed", "run", "-c", str(config)]
        out = opened.enter_context(log.open("wb"))
        box = opened.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=out))
        opened.callback(box.kill)
        mouths = [Noise() for _ in names]
        senders = [
            Sender(name, mouth, mouth.ring, f"tcp://127.0.0.1:{port}")
            for name, mouth in zip(names, mouths, strict=True)
        ]
        threads = [threading.Thread(target=sender.run, daemon=True) for sender in senders]
        while b"satellites may come" not in log.read_bytes():
            time.sleep(0.1)
        for thread in threads:
            thread.start()
        begun, cpu, until = play(mouths, 5.0), Process(box.pid).cpu, time.monotonic()
        play(mouths, seconds, begun)
        used, took = Process(box.pid).cpu - cpu, time.monotonic() - until
        memory = Process(box.pid).resident
        for mouth in mouths:
            mouth.stop()
        for thread in threads:
            thread.join(10.0)
        left = sum(sender.left for sender in senders) + sum(mouth.ring.lost for mouth in mouths)
        box.send_signal(signal.SIGTERM)
        box.wait(10.0)
        lost = dropped(Path(folder) / "j.db")
    share = 100.0 * used / took
    return (
        f"{SATELLITES} satellites for {took:.0f} s into one box on one core: {share:.1f} % of it, "
        f"{share / SATELLITES:.2f} % each, {memory:.0f} MB; {left} samples not delivered, {lost} lost in the box"
    )


def play(mouths: Sequence[Noise], seconds: float, played: int = 0) -> int:
    """Noise at its own pace; returns how many blocks were played in all."""
    block: Floats = np.random.default_rng(0).normal(0.0, 0.01, 320).astype(np.float32)
    begin, first = time.monotonic(), played
    while time.monotonic() - begin < seconds:
        if (played - first) * 0.02 <= time.monotonic() - begin:
            for mouth in mouths:
                mouth.ring.write(block)
            played += 1
        else:
            time.sleep(0.002)
    return played


def dropped(journal: Path) -> int:
    """Samples that the box has lost, all sources together, as its journal tells; the one that ends a sound apart."""
    from sed.journal import Journal

    with Journal(journal) as opened:
        return sum(max(0, state.dropped_samples - 1) for state in opened.states())


def draw(costs: Sequence[Cost], path: Path) -> None:
    """The curve."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.0, 4.0), layout="constrained")
    streams = [each.streams for each in costs]
    axes.plot(streams, [each.alone for each in costs], "o-", color="0.6", label="one by one")
    axes.plot(streams, [each.together for each in costs], "o-", color="tab:blue", label="together")
    axes.set_xscale("log", base=2)
    axes.set_xticks(streams, [str(n) for n in streams])
    axes.set_ylim(0.0, None)
    axes.set_xlabel("streams")
    axes.set_ylabel("CPU ms for a second of one stream")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Print the table, draw the curve, and try sixteen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="of sixteen satellites; 0 leaves them out")
    parser.add_argument("--port", type=int, default=15_557, help="for the box, on this computer")
    parser.add_argument("--plot", type=Path, help="draw the curve here")
    arguments = parser.parse_args()
    model, console = OnnxModel(model_path(DEFAULT_MODEL)), Console(highlight=False)
    costs = [cost(model, streams) for streams in STREAMS]
    table = Table(
        "streams", "alone, ms", "together, ms", "ratio", "together, of one alone", title="a second of one stream"
    )
    for each in costs:
        shares = f"{each.together / each.alone:.2f}", f"{each.together / costs[0].alone:.2f}"
        table.add_row(str(each.streams), f"{each.alone:.2f}", f"{each.together:.2f}", *shares)
    console.print(table)
    if arguments.plot:
        draw(costs, arguments.plot)
    if arguments.seconds:
        console.print(live(arguments.seconds, arguments.port))


if __name__ == "__main__":
    main()
