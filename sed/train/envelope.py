"""Where the sound is in a target clip: there are no human labels, so events are cut from the energy envelope."""

from dataclasses import dataclass

import numpy as np

from sed.signals import Floats

FRAME = 0.01
"""Seconds per value of the envelope."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How a label's events are cut from the envelope."""

    below: float  # dB under the loudest frame at which the event is over
    clear: float  # dB over the clip's own background that a frame needs
    gap: float  # seconds: shorter pauses do not split an event
    shortest: float  # seconds: a dry close shot is one frame, and is stretched to this
    keep: float = 15.0  # dB under the loudest frame that an event's own peak needs


CUTS = {
    "gun_shot": Cut(below=20.0, clear=6.0, gap=0.3, shortest=0.08),
    "glass_break": Cut(below=22.0, clear=6.0, gap=0.5, shortest=0.08),
    "siren": Cut(below=16.0, clear=3.0, gap=1.0, shortest=0.3),
    "car_horn": Cut(below=20.0, clear=6.0, gap=0.5, shortest=0.1),
    "scream": Cut(below=20.0, clear=6.0, gap=0.5, shortest=0.1),
    "explosion": Cut(below=25.0, clear=6.0, gap=0.5, shortest=0.1),
    **dict.fromkeys(
        ("air_conditioner", "children_playing", "drilling", "engine_idling", "jackhammer", "music"),
        Cut(below=40.0, clear=0.0, gap=2.0, shortest=0.3, keep=40.0),
    ),
}
DEFAULT_CUT = Cut(below=20.0, clear=6.0, gap=0.3, shortest=0.08)


def events(samples: Floats, rate: int, cut: Cut) -> list[tuple[int, int]]:
    """The events in a clip of a target class as (onset, offset) in samples, in order; at least one."""
    level = envelope(samples, rate)
    hop = round(rate * FRAME)
    peak = float(level.max())
    floor = float(np.percentile(level, 10.0))
    active = level > max(peak - cut.below, min(floor + cut.clear, peak - 6.0))
    loud = [run for run in _runs(active, round(cut.gap / FRAME)) if level[run[0] : run[1]].max() > peak - cut.keep]
    return [(a * hop, max(b * hop, a * hop + round(cut.shortest * rate))) for a, b in loud]


def envelope(samples: Floats, rate: int) -> Floats:
    """The level of each 10 ms in dB after pre-emphasis, which keeps rumble from hiding an onset; at least one value."""
    hop = round(rate * FRAME)
    bright = np.diff(samples, prepend=samples[:1] if len(samples) else np.zeros(1, np.float32))
    count = max(1, -(-len(bright) // hop))
    padded = np.zeros(count * hop, np.float32)
    padded[: len(bright)] = bright
    power = np.square(padded).reshape(count, hop).mean(axis=1)
    return np.asarray(10.0 * np.log10(power + 1e-10), np.float32)


def _runs(active: np.ndarray[tuple[int, ...], np.dtype[np.bool]], gap: int) -> list[tuple[int, int]]:
    """Stretches of True as (first, last + 1); stretches at most `gap` apart are one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False]))))
    joined: list[tuple[int, int]] = []
    for first, stop in zip(edges[0::2].tolist(), edges[1::2].tolist(), strict=True):
        if joined and first - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((first, stop))
    return joined
