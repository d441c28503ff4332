"""An event heard again: the frames and scores around it."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from sed.archive.engine import Order, Recording
from sed.archive.fetch import fetched
from sed.archive.summary.standouts import Standout
from sed.errors import AudioError
from sed.frontend import LogMel
from sed.model import OnnxModel
from sed.resample import resampled
from sed.scan import BLOCK_SECONDS
from sed.signals import Block, Floats
from sed.source.file import AudioFile

BEFORE, AFTER, LONGEST = 1.5, 1.5, 9.0
"""Seconds shown around an event, and in all; of a longer one its beginning."""

LEAD = 10.0
"""Seconds heard before what is shown: what a model remembers of the time before hardly matters after them."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What is shown of an event."""

    event: Standout
    begin: float  # seconds into the recording
    frames: Floats  # (n, mels) dB
    scores: Floats  # (rows,) of its label


def hear(event: Standout, model: OnnxModel, order: Order) -> Excerpt:
    """The sound around an event. Raises EarwitnessError if the recording cannot be read any more."""
    meta = model.metadata
    to, hop = meta.frontend.sample_rate, meta.hop
    shown = max(0, round((event.onset - BEFORE) * to) // hop)  # rows from the beginning of the recording, as below
    length = round(min(event.offset - event.onset + BEFORE + AFTER, LONGEST) * to / hop)
    lead = min(shown, round(LEAD * to / hop))
    frames, scores = _heard(event.file, (shown - lead) * hop / to, (lead + length) * hop / to, model, order)
    column = scores[lead : lead + length, meta.labels.index(event.label)]
    rows = frames[lead * meta.stride : (lead + length) * meta.stride]
    if not len(rows):
        raise AudioError(f"{event.file}: ends before {event.onset:.2f} s; it is not what was scanned")
    return Excerpt(event, shown * hop / to, rows, column)


def _heard(name: str, begin: float, seconds: float, model: OnnxModel, order: Order) -> tuple[Floats, Floats]:
    """The frames and the scores of a stretch of a recording, as far as it can be read."""
    meta = model.metadata
    frontend, frames, scores = LogMel(meta.frontend), [np.zeros((0, meta.frontend.mels), np.float32)], list[Floats]()
    model.reset()
    with ExitStack() as opened:
        path = opened.enter_context(fetched(Recording(name)))
        file = opened.enter_context(AudioFile(path, order.channel))
        margin = meta.ahead / meta.frontend.sample_rate + 0.5  # what resampler, window and model hold back
        first, last = (round(edge * file.sample_rate) for edge in (begin, begin + seconds + margin))
        try:
            for block in resampled(_stretch(file, first, last), file.sample_rate, meta.frontend.sample_rate):
                pushed = frontend.push(block)
                frames.append(pushed.values)
                scores.append(model.step(pushed).values)
        except AudioError:
            pass  # the recording breaks off here; the table of files says so
    scores.append(model.flush().values)
    return np.concatenate(frames), np.concatenate(scores)


def _stretch(file: AudioFile, first: int, last: int) -> Iterator[Block]:
    """The samples from `first` to `last`; what cannot be read from anywhere is read from its beginning."""
    if file.divisible:
        yield from file.blocks(BLOCK_SECONDS, first, last)
        return
    for block in file.blocks(BLOCK_SECONDS):
        if block.end > first:
            cut = max(0, first - block.start)
            yield Block(block.start + cut, block.samples[cut:])
        if block.end >= last:
            return
