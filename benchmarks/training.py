"""What two processes gain in training, and whether they learn what one learns.

    python -m benchmarks.training [--data ../shared/data] [--steps 12] [--rounds 3] [--seeds 4] [--wide]

First the seconds that a step of 32 scenes of 10 s takes, the network and the precision of the shipped models: one
process and two in turn, one thread each (with --wide one process with two threads besides), so that what else the
machine does falls on all of them; their ratios are of the same round. CPU is what the first process has used itself:
where it is half, two idle processors are twice as fast, less what they wait for each other. Then small runs in float32
of several seeds, each by one and by two processes: the loss on valid scenes at the end. Without dropout only rounding
tells them apart; with it, their chance.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", GLOO_SOCKET_IFNAME="lo")

from rich.console import Console
from rich.table import Table

SHIPPED: Final = {"scenes": 256, "valid_scenes": 1, "spectral": "strong"}
SMALL: Final = {
    "batch": 8, "seconds": 4.0, "units": 64, "scenes": 400, "valid_scenes": 96, "steps": 120, "check_every": 60,
    "bfloat16": False, "average": 0.97, "spectral": "strong", "segments": 0.3,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crew:
    """Who shares the work."""

    processes: int
    threads: int

    def __str__(self) -> str:
        """As a row of the table has it."""
        return f"{self.processes} x {self.threads} thread{'s' * (self.threads > 1)}"


@dataclass(frozen=True, slots=True)
class Check:
    """How a run stood, and the clocks with it."""

    step: int
    loss: float
    clock: float  # seconds
    cpu: float  # seconds, of this process


ONE, WIDE, TWO = Crew(1, 1), Crew(1, 2), Crew(2, 1)


def main() -> None:
    """Measure, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--steps", type=int, default=12, help="timed in a round, after as many")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--wide", action="store_true", help="two threads besides; on a busy machine they wait long")
    parser.add_argument("--worker", type=Path, nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        learn(*asked.worker)
        return
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "earwitness"
        common = {"data": str(asked.data.resolve()), "cache": str(cache), "out": f"{folder}/trained.onnx"}
        Console().print(
            speed(
                Path(folder),
                {**common, **SHIPPED, "steps": 2 * asked.steps, "check_every": asked.steps},
                asked.rounds,
                asked.wide,
            )
        )
        if asked.seeds > 1:
            Console().print(nearness(Path(folder), {**common, **SMALL}, asked.seeds))


def speed(folder: Path, settings: Mapping[str, Any], rounds: int, wide: bool) -> Table:
    """Seconds a step of each crew, and how many times as fast as one process with one thread, round by round."""
    table = Table("crew", "s a step", "times as fast, by round", "s of CPU a step", title="32 scenes of 10 s a step")
    seen: dict[Crew, list[dict[str, float]]] = {crew: [] for crew in (ONE, WIDE, TWO) if wide or crew is not WIDE}
    for _ in range(rounds):
        for crew, took in seen.items():
            took.extend(trained(folder, crew, [settings]))
    for crew, took in seen.items():
        gains = [one["elapsed"] / own["elapsed"] for one, own in zip(seen[ONE], took, strict=True)]
        medians = [f"{statistics.median(own[what] for own in took):.2f}" for what in ("elapsed", "cpu")]
        table.add_row(str(crew), medians[0], _listed(gains, ".2f"), medians[1])
    return table


def nearness(folder: Path, settings: Mapping[str, Any], seeds: int) -> Table:
    """The loss on valid scenes of each seed by one and by two processes, without dropout and with it."""
    table = Table("dropout", "1 process", "2 processes", "mean difference", title="loss on valid scenes, by seed")
    for dropout in ((0.0, 0.0), (0.0, 0.1)):
        runs = [{**settings, "seed": seed, "dropout": dropout} for seed in range(seeds)]
        one, two = ([found["valid"] for found in trained(folder, crew, runs)] for crew in (ONE, TWO))
        apart = [ours - theirs for ours, theirs in zip(two, one, strict=True)]
        interval = f"{statistics.mean(apart):+.4f} ± {_half_interval(apart):.4f}"
        table.add_row(str(dropout[1]), _listed(one, ".4f"), _listed(two, ".4f"), interval)
    return table


def trained(folder: Path, crew: Crew, runs: Iterable[Mapping[str, Any]]) -> list[dict[str, float]]:
    """What the first process says of each of these runs."""
    files = []
    for number, settings in enumerate(runs):
        files.append(folder / f"{number}.json")
        files[-1].write_text(json.dumps({**settings, "threads": crew.threads}))
    start = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(crew.processes)]
    command = [sys.executable, *start, "-m", "benchmarks.training", "--worker", *map(str, files)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return [json.loads(file.with_suffix(".found").read_text()) for file in files]


def learn(*files: Path) -> None:
    """In a process that torchrun started: learn as each file says; beside it is left what it took, and the loss."""
    from sed.train import fit
    from sed.train.distributed import together
    from sed.train.settings import TrainSettings

    runs = [TrainSettings.model_validate_json(file.read_text()) for file in files]
    fit.prepare(runs[0])
    with together(runs[0]) as ranks:
        for settings, file in zip(runs, files, strict=True):
            checks: list[Check] = []
            told = partial(_note, checks)
            fit.fit(settings, fit.gather(settings), told, ranks)
            if ranks.first:
                before, last = checks[-2:]
                steps = last.step - before.step
                found = {"elapsed": (last.clock - before.clock) / steps, "cpu": (last.cpu - before.cpu) / steps}
                file.with_suffix(".found").write_text(json.dumps({**found, "valid": last.loss}))


def _note(checks: list[Check], step: int, loss: float) -> None:
    checks.append(Check(step, loss, time.monotonic(), time.process_time()))


def _listed(values: Iterable[float], form: str) -> str:
    return " ".join(format(value, form) for value in values)


def _half_interval(values: list[float]) -> float:
    """Half of the 95 % interval of their mean, by Student's t."""
    from scipy.stats import t

    return float(t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5)


if __name__ == "__main__":
    main()
