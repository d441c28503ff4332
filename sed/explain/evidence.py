"""What a score rests on: how far it falls when a patch of the log-mel is made quiet (occlusion; Zeiler 2014)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sed.explain.excerpt import Excerpt
from sed.explain.streams import Streams
from sed.metadata import Metadata
from sed.signals import Floats

PATCH_SECONDS = 0.12
"""The shortest patch; a long excerpt gets longer ones, so that at most some PATCHES_ACROSS lie side by side."""

PATCHES_ACROSS = 24

PATCHES_UP = 8
"""Patches from the lowest band to the highest."""

QUIET = 10.0
"""The percentile of each band's level that counts as its quiet."""

BATCH = 48
"""Variants scored in one call."""

LOWEST, HIGHEST = 0.01, 0.999
"""Scores beyond these count as equal: no rule tells them apart, and their log-odds would magnify nothing."""


@dataclass(frozen=True, slots=True)
class Patch:
    """A rectangle of the log-mel; `frames` count from the excerpt's first."""

    frames: slice
    bands: slice


@dataclass(frozen=True, slots=True)
class Evidence:
    """How far a label's score falls, over a finding's rows, when a part of the excerpt is made quiet.

    A patch covers two cells each way, and a cell tells the mean of the patches over it. Falls are in log-odds, the
    mean over the finding's rows; what is below zero speaks against the label.
    """

    falls: Floats  # (cells in time, cells in frequency)
    cell: tuple[int, int]  # frames, bands
    score: float  # the mean over the finding's rows
    strongest: Patch
    without: float  # the same mean without the strongest patch


def gather(
    streams: Streams, excerpt: Excerpt, column: int, metadata: Metadata, done: Callable[[float], None]
) -> Evidence:
    """Make one patch after the other quiet and look how far the score falls; `done` hears which share is done."""
    streams.lead(excerpt.lead)
    cell = cell_size(excerpt, metadata)
    shape, patches = tile(len(excerpt.place.rows) * metadata.stride, metadata.frontend.mels, cell)
    quiet = np.percentile(np.concatenate((excerpt.lead, excerpt.frames)), QUIET, axis=0).astype(np.float32)
    focus = _focus(excerpt, metadata)
    whole = streams.scores(excerpt.frames[None])[:, focus, column]
    rows: list[Floats] = []
    for first in range(0, len(patches), BATCH):
        variants = np.stack([silenced(excerpt.frames, patch, quiet) for patch in patches[first : first + BATCH]])
        rows.append(streams.scores(variants)[:, focus, column])
        done(min(1.0, (first + BATCH) / len(patches)))
    occluded = np.concatenate(rows)  # (patches, rows of the finding)
    falls = (_log_odds(whole) - _log_odds(occluded)).mean(axis=1)
    top = int(np.argmax(falls))
    return Evidence(_spread(falls, shape), cell, float(whole.mean()), patches[top], float(occluded[top].mean()))


def cell_size(excerpt: Excerpt, metadata: Metadata) -> tuple[int, int]:
    """Frames and bands of a cell, half a patch each way."""
    shortest = PATCH_SECONDS * metadata.frontend.sample_rate / metadata.frontend.hop
    frames = max(shortest, len(excerpt.place.rows) * metadata.stride / PATCHES_ACROSS)
    return max(1, round(frames / 2)), max(1, round(metadata.frontend.mels / PATCHES_UP / 2))


def tile(frames: int, mels: int, cell: tuple[int, int]) -> tuple[tuple[int, int], list[Patch]]:
    """How many patches lie side by side each way, half over one another, and all of them, time outermost."""
    shape = max(1, -(-frames // cell[0]) - 1), max(1, -(-mels // cell[1]) - 1)
    corners = [(t * cell[0], b * cell[1]) for t in range(shape[0]) for b in range(shape[1])]
    return shape, [Patch(slice(t, min(frames, t + 2 * cell[0])), slice(b, b + 2 * cell[1])) for t, b in corners]


def silenced(frames: Floats, patch: Patch, quiet: Floats) -> Floats:
    """The frames with each band of a patch turned down to its quiet level; what is quieter stays."""
    changed = frames.copy()
    part = changed[patch.frames, patch.bands]
    np.minimum(part, quiet[patch.bands], out=part)
    return changed


def _focus(excerpt: Excerpt, metadata: Metadata) -> slice:
    """The finding's rows in the graph's output, which lags behind."""
    first, late = excerpt.place.rows.start, metadata.look_ahead
    return slice(excerpt.place.focus.start - first + late, excerpt.place.focus.stop - first + late)


def _log_odds(scores: Floats) -> Floats:
    inside = np.clip(scores, LOWEST, HIGHEST)
    odds: Floats = np.log(inside / (1.0 - inside))
    return odds


def _spread(falls: Floats, shape: tuple[int, int]) -> Floats:
    """Each cell's mean over the patches that cover it: (patches + 1) cells each way."""
    total = np.zeros((shape[0] + 1, shape[1] + 1), np.float32)
    count = np.zeros_like(total)
    for t in (0, 1):
        for b in (0, 1):
            total[t : t + shape[0], b : b + shape[1]] += falls.reshape(shape)
            count[t : t + shape[0], b : b + shape[1]] += 1.0
    spread: Floats = total / count
    return spread
