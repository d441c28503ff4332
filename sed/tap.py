"""Stages that let somebody look at what passes: for plots, score files and tests."""

from collections.abc import Callable

from sed.pipeline import Frontend, Model
from sed.signals import Block, Frames, Scores


class FrameTap:
    """A frontend that shows each of its frames to `see`."""

    def __init__(self, frontend: Frontend, see: Callable[[Frames], None]) -> None:
        self._frontend, self._see = frontend, see
        self.reset = frontend.reset

    def push(self, block: Block) -> Frames:
        """As the frontend's own."""
        frames = self._frontend.push(block)
        self._see(frames)
        return frames


class ScoreTap:
    """A model that shows each of its scores to `see`."""

    def __init__(self, model: Model, see: Callable[[Scores], None]) -> None:
        self._model, self._see = model, see
        self.reset = model.reset

    def step(self, frames: Frames) -> Scores:
        """As the model's own."""
        return self._seen(self._model.step(frames))

    def flush(self) -> Scores:
        """As the model's own."""
        return self._seen(self._model.flush())

    def _seen(self, scores: Scores) -> Scores:
        self._see(scores)
        return scores
