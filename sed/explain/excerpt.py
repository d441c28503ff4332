"""The log-mel frames around a finding, read from the recording a second time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sed.errors import AudioError
from sed.explain.finding import Finding
from sed.frontend import LogMel
from sed.metadata import Metadata
from sed.resample import resampled
from sed.scan import BLOCK_SECONDS
from sed.signals import Block, Floats, Scores
from sed.source.file import AudioFile, Channel

BEFORE, AFTER = 1.5, 1.0
"""Seconds shown around a finding."""

LONGEST = 8.0
"""Seconds of a finding that are shown; of a longer one those around its highest score."""

LEAD = 30.0
"""Seconds heard before what is shown: more than a model remembers, less than fills the memory."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which rows of a recording are shown, and which of them are the finding's."""

    rows: range
    focus: range


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The frames of the rows at a place, of the time before, and of the look-ahead behind."""

    place: Place
    lead: Floats  # (m, mels) dB, whole rows
    frames: Floats  # ((rows + look_ahead) * stride, mels) dB


def place(finding: Finding, scores: Scores, column: int, metadata: Metadata) -> Place:
    """The rows around a finding, as far as there are any."""
    first, last = (round(s / metadata.period) for s in (finding.onset, finding.offset))
    longest, count = round(LONGEST / metadata.period), len(scores.values)
    if last - first > longest:
        peak = first + int(np.argmax(scores.values[first:last, column]))
        first = min(max(first, peak - longest // 2), last - longest)
        last = first + longest
    begin, end = max(0, first - round(BEFORE / metadata.period)), min(count, last + round(AFTER / metadata.period))
    return Place(range(begin, end), range(first, last))


def read(name: str, channel: Channel, metadata: Metadata, place: Place) -> Excerpt:
    """The frames of a place; where the recording ends its last frame goes on, as when a model is flushed."""
    stride = metadata.stride
    begin = max(0, place.rows.start - round(LEAD / metadata.period)) * stride
    shown, end = place.rows.start * stride, (place.rows.stop + metadata.look_ahead) * stride
    frames = np.concatenate(list(_frames(name, channel, metadata, begin, end)))
    missing = end - begin - len(frames)
    frames = np.concatenate((frames, np.repeat(frames[-1:], missing, axis=0)))
    return Excerpt(place, frames[: shown - begin], frames[shown - begin :])


def _frames(name: str, channel: Channel, metadata: Metadata, begin: int, end: int) -> Iterator[Floats]:
    """Frames number `begin` to `end`, as far as the recording can be read."""
    frontend = LogMel(metadata.frontend)
    for block in _blocks(name, channel, metadata.frontend.sample_rate):
        frames = frontend.push(block)
        first = frames.start // frames.hop
        yield frames.values[max(0, begin - first) : max(0, end - first)]
        if first + len(frames.values) >= end:
            return


def _blocks(name: str, channel: Channel, sample_rate: int) -> Iterator[Block]:
    with AudioFile(name, channel) as file:
        try:
            yield from resampled(file.blocks(BLOCK_SECONDS), file.sample_rate, sample_rate)
        except AudioError:
            return  # it breaks off here; the scan before this one has said so
