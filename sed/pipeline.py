"""The loop from sound to events. Real time is only a property of who supplies the blocks."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from sed.signals import Block, Event, Frames, Scores


class Frontend(Protocol):
    """Frames from blocks."""

    def push(self, block: Block) -> Frames: ...  # noqa: D102
    def reset(self, at: int = 0) -> None: ...  # noqa: D102


class Model(Protocol):
    """Scores from frames."""

    def step(self, frames: Frames) -> Scores: ...  # noqa: D102
    def flush(self) -> Scores: ...  # noqa: D102
    def reset(self) -> None: ...  # noqa: D102


class Tracker(Protocol):
    """Events from scores."""

    def update(self, scores: Scores) -> list[Event]: ...  # noqa: D102
    def close(self) -> list[Event]: ...  # noqa: D102


class Meter(Protocol):
    """Levels of what was heard."""

    def push(self, block: Block) -> None: ...  # noqa: D102
    def loudest(self, start: int, end: int) -> float: ...  # noqa: D102
    def reset(self, at: int = 0) -> None: ...  # noqa: D102


class Detector:
    """One stream's way from blocks to events, with memory of what was heard.

    `hear` goes all the way. Where streams are scored together, `meet` and `tell` are its two ends; what lies between is
    done for all of them at once.
    """

    def __init__(self, frontend: Frontend, model: Model, tracker: Tracker, meter: Meter) -> None:
        self._frontend, self._model, self._tracker, self._meter = frontend, model, tracker, meter
        self._expected = self._lost = 0

    def hear(self, block: Block) -> list[Event]:
        """The events that a block makes certain."""
        ended = self.meet(block)
        return ended + self.tell(self._model.step(self._frontend.push(block)))

    def meet(self, block: Block) -> list[Event]:
        """Take note of the next block; what ends because samples were lost before it: all memory of them is dropped."""
        ended: list[Event] = []
        if block.start != self._expected:  # samples were lost: memory no longer matches the sound
            ended = self.close()
            self._lost += block.start - self._expected
            self._frontend.reset(at=block.start)
            self._model.reset()
            self._meter.reset(at=block.start)
        self._expected = block.end
        self._meter.push(block)
        return ended

    def tell(self, scores: Scores) -> list[Event]:
        """The events that scores of the last block make certain."""
        return self._finished(self._tracker.update(scores))

    def close(self) -> list[Event]:
        """What ends because the sound does."""
        return self._finished(self._tracker.update(self._model.flush()) + self._tracker.close())

    def _finished(self, events: list[Event]) -> list[Event]:
        return [self._with_level(event) for event in events]

    def _with_level(self, event: Event) -> Event:
        level = self._meter.loudest(event.onset, event.offset or event.detected)
        lost, self._lost = self._lost, 0
        return replace(event, detected=min(event.detected, self._expected), level_dbfs=level, lost_samples=lost)


def detect(
    blocks: Iterable[Block], frontend: Frontend, model: Model, tracker: Tracker, meter: Meter
) -> Iterator[Event]:
    """Yield events as the sound that proves them arrives.

    A jump in `Block.start` is a loss: open events end there, all memory is dropped, and the next event tells how many
    samples are missing.
    """
    detector = Detector(frontend, model, tracker, meter)
    for block in blocks:
        yield from detector.hear(block)
    yield from detector.close()
