"""This computer: cores, memory, and how many times faster than real time it hears."""

import os
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from sed.config import Config, merged_rules
from sed.doctor.finding import Finding, failed, ok, warning
from sed.frontend import LogMel
from sed.level import LevelMeter
from sed.model import OnnxModel
from sed.pipeline import detect
from sed.postprocess import Tracker
from sed.shipped import model_path
from sed.signals import Block

SECONDS = 5.0
"""Of sound to be heard, in blocks as a microphone gives them."""

BLOCK_SECONDS = 0.02
ROOM = 4.0
"""Times real time that all sources together should leave: other programs want to run, too."""

LEAST_MEGABYTES, GOOD_MEGABYTES = 60, 150
"""What the daemon needs; with some room."""


def look(config: Config) -> Iterator[Finding]:
    """Speed, then memory."""
    sources = len(config.source)
    speed = times_real_time(config)
    said = f"{os.cpu_count()} cores; one hears {speed:.0f} times faster than real time"
    if speed < sources:
        yield failed(f"{said}: too slow for {sources} sources", "take a faster computer, or fewer sources")
    elif speed < ROOM * sources:
        yield warning(f"{said}, for {sources} sources", "see what else runs here: uptime, top")
    else:
        yield ok(f"{said}: {100 * sources / speed:.1f} % of a core for what is configured")
    yield from _memory(available_megabytes())


def times_real_time(config: Config) -> float:
    """How many seconds of sound are heard in one second of CPU."""
    model = OnnxModel(model_path(config.model))
    metadata = model.metadata
    rate = metadata.frontend.sample_rate
    sound = np.random.default_rng(0).normal(0.0, 0.01, round(SECONDS * rate)).astype(np.float32)
    edges = range(0, len(sound) + 1, round(BLOCK_SECONDS * rate))
    blocks = (Block(first, sound[first:last]) for first, last in pairwise(edges))
    tracker = Tracker(metadata.labels, merged_rules(config, metadata), rate)
    begin = time.thread_time()
    for _ in detect(blocks, LogMel(metadata.frontend), model, tracker, LevelMeter(rate)):
        pass
    return SECONDS / max(time.thread_time() - begin, 1e-6)


def available_megabytes(meminfo: Path = Path("/proc/meminfo")) -> int | None:
    """Memory that programs can still have, as the kernel estimates it; None where it does not."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    found = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return int(found[0][1]) // 1000 if found else None


def _memory(megabytes: int | None) -> Iterator[Finding]:
    if megabytes is None:
        return
    said = f"{megabytes:,} MB of memory are free"
    if megabytes < LEAST_MEGABYTES:
        yield failed(said, "end other programs")
    elif megabytes < GOOD_MEGABYTES:
        yield warning(said, "end other programs, or it may run short")
    else:
        yield ok(said)
