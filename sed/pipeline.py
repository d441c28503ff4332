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


def detect(
    blocks: Iterable[Block], frontend: Frontend, model: Model, tracker: Tracker, meter: Meter
) -> Iterator[Event]:
    """Yield events as the sound that proves them arrives.

    A jump in `Block.start` is a loss: open events end there, all memory is dropped, and the next event tells how many
    samples are missing.
    """
    expected = lost = 0

    def told(events: list[Event]) -> Iterator[Event]:
        nonlocal lost
        for event in events:
            level = meter.loudest(event.onset, event.offset or event.detected)
            yield replace(event, detected=min(event.detected, expected), level_dbfs=level, lost_samples=lost)
            lost = 0

    for block in blocks:
        if block.start != expected:  # samples were lost: memory no longer matches the sound
            yield from told(tracker.update(model.flush()) + tracker.close())
            lost += block.start - expected
            frontend.reset(at=block.start)
            model.reset()
            meter.reset(at=block.start)
        expected = block.end
        meter.push(block)
        yield from told(tracker.update(model.step(frontend.push(block))))
    yield from told(tracker.update(model.flush()) + tracker.close())
