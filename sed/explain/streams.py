"""One model over many versions of a sound at once: the graph's axis of streams."""

import numpy as np

from sed.model import OnnxModel
from sed.signals import Floats


class Streams:
    """Scores of variants of one excerpt; every variant goes on from the state that the lead left behind."""

    def __init__(self, model: OnnxModel) -> None:
        self._session = model.session
        inputs = model.session.get_inputs()[1:]
        self._names = [i.name for i in inputs]
        self._outputs = ["scores", *(f"next_{name}" for name in self._names)]
        self._state = [np.zeros([1, *i.shape[1:]], np.float32) for i in inputs]

    def lead(self, frames: Floats) -> None:
        """Hear (n, mels) whole rows of frames; all that is scored later comes after them."""
        if len(frames):
            _, self._state = self._run(frames[None], self._state)

    def scores(self, frames: Floats) -> Floats:
        """The graph's rows for (streams, n, mels): (streams, n / stride, labels), `look_ahead` rows late."""
        rows, _ = self._run(frames, [np.repeat(state, len(frames), axis=0) for state in self._state])
        return rows

    def _run(self, frames: Floats, state: list[Floats]) -> tuple[Floats, list[Floats]]:
        rows, *after = self._session.run(
            self._outputs, {"frames": frames, **dict(zip(self._names, state, strict=True))}
        )
        return rows, after
