"""`earwitness bench`: what the path of sound costs on this machine, stage by stage."""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from rich.console import Console
from rich.table import Table

from sed.config import Config, merged_rules
from sed.frontend import LogMel
from sed.level import LevelMeter
from sed.model import OnnxModel
from sed.pipeline import detect
from sed.postprocess import Tracker
from sed.resample import resampled
from sed.ring import RingBuffer
from sed.shipped import model_path
from sed.signals import Block, Floats

BLOCK_MS = (10, 20, 100)

MICROPHONE_RATE = 48_000
"""What most sound cards give; the resampler's cost is told beside the whole, for those who have one at 16 kHz."""

REPEATS = 3
"""Each figure is the least of so many runs: noise only ever adds."""


@dataclass(slots=True)
class Costs:
    """Milliseconds of CPU per second of sound, by stage, for one block size."""

    block_ms: int
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def streams_a_core(self) -> int:
        """How many such streams would keep one core busy."""
        return int(1000.0 / self.stages["whole path"])


def run(config: Config, *, seconds: float, as_json: bool) -> None:
    """Measure and print."""
    model = OnnxModel(model_path(config.model))
    measure(model, config, 1.0, BLOCK_MS[-1])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0  # before there is a minute of test sound
    costs = [measure(model, config, seconds, block_ms) for block_ms in BLOCK_MS]
    if as_json:
        rows = [{"block_ms": c.block_ms, "ms_per_second": c.stages, "streams_a_core": c.streams_a_core} for c in costs]
        document = {"model": model.metadata.name, "seconds": seconds, "costs": rows, "memory_mib": round(memory, 1)}
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        _show(model, costs, memory, seconds)


def measure(model: OnnxModel, config: Config, seconds: float, block_ms: int) -> Costs:
    """The cost of each stage fed with what the stage before it gives, in blocks of `block_ms`."""
    rate = model.metadata.frontend.sample_rate
    sound = street_like(rate, seconds)
    blocks = list(_cut(sound, round(rate * block_ms / 1000)))
    raw = list(_cut(street_like(MICROPHONE_RATE, seconds), round(MICROPHONE_RATE * block_ms / 1000)))
    rules = merged_rules(config, model.metadata)

    def tracker() -> Tracker:
        return Tracker(model.metadata.labels, rules, rate)

    frames = list(map(LogMel(model.metadata.frontend).push, blocks))
    model.reset()
    scores = list(map(model.step, frames))

    def whole() -> None:
        model.reset()
        for _ in detect(_through_ring(blocks), LogMel(model.metadata.frontend), model, tracker(), LevelMeter(rate)):
            pass

    stages: dict[str, Callable[[], object]] = {
        "ring": lambda: list(_through_ring(blocks)),
        "level": lambda: list(map(LevelMeter(rate).push, blocks)),
        "log-mel": lambda: list(map(LogMel(model.metadata.frontend).push, blocks)),
        "model": lambda: list(map(model.step, frames)),
        "tracker": lambda: list(map(tracker().update, scores)),
        "whole path": whole,
        f"resampling from {MICROPHONE_RATE // 1000} kHz": lambda: list(resampled(raw, MICROPHONE_RATE, rate)),
    }
    return Costs(block_ms, {name: _cost(stage) / seconds for name, stage in stages.items()})


def street_like(rate: int, seconds: float) -> Floats:
    """Noise with a burst each two seconds, so that the tracker has something to do."""
    rng = np.random.default_rng(0)
    sound = rng.normal(0.0, 0.003, round(rate * seconds))
    burst = rng.normal(0.0, 0.2, rate // 4) * np.exp(-np.arange(rate // 4) / (0.05 * rate))
    for start in range(0, len(sound) - len(burst), 2 * rate):
        sound[start : start + len(burst)] += burst
    return sound.astype(np.float32)


def _cut(samples: Floats, size: int) -> Iterator[Block]:
    edges = [*range(0, len(samples), size), len(samples)]
    return (Block(first, samples[first:last]) for first, last in pairwise(edges))


def _through_ring(blocks: list[Block]) -> Iterator[Block]:
    ring = RingBuffer(160_000)
    reader = ring.blocks(1)
    for block in blocks:
        ring.write(block.samples)
        yield next(reader)


def _cost(work: Callable[[], object]) -> float:
    """Milliseconds of CPU, of all threads; the least of several runs."""
    least = float("inf")
    for _ in range(REPEATS):
        begin = time.process_time()
        work()
        least = min(least, time.process_time() - begin)
    return least * 1000.0


def _show(model: OnnxModel, costs: list[Costs], memory: float, seconds: float) -> None:
    table = Table("stage", title=f"{model.metadata.name}: ms of CPU per second of sound", title_justify="left")
    for cost in costs:
        table.add_column(f"{cost.block_ms} ms blocks", justify="right")
    for stage in costs[0].stages:
        style = "bold" if stage == "whole path" else ""
        table.add_row(stage, *(f"{cost.stages[stage]:.3f}" for cost in costs), style=style)
    table.add_section()
    table.add_row("streams a core could carry", *(str(cost.streams_a_core) for cost in costs))
    console = Console()
    console.print(table)
    console.print(f"{memory:.0f} MiB of memory; {seconds:g} s of sound, least of {REPEATS} runs, one thread")
