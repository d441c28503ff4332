"""Clips of one kind, to draw from by their weights."""

from collections.abc import Sequence

import numpy as np

from sed.train.clips import Clip, weights

Rng = np.random.Generator


class Pool:
    """Some clips; how often each is drawn is `clips.weights`."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        """A pool of no clips cannot be drawn from."""
        self.clips = clips
        self._edges = np.cumsum(weights(clips)) if clips else np.zeros(0)

    def draw(self, rng: Rng) -> Clip:
        """One of the clips."""
        return self.clips[min(int(np.searchsorted(self._edges, rng.random())), len(self.clips) - 1)]


def pools(clips: Sequence[Clip], labels: Sequence[str]) -> dict[str, Pool]:
    """A pool for each of `labels` that has clips."""
    found = {label: [clip for clip in clips if clip.label == label] for label in labels}
    return {label: Pool(members) for label, members in found.items() if members}


def listed(clips: Sequence[Clip], labels: Sequence[str]) -> list[Pool]:
    """The pools of `labels` in their order; one that is named twice comes twice."""
    made = pools(clips, labels)
    return [made[label] for label in labels if label in made]
