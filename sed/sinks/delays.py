"""How long it takes from a sound until somebody has been told."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from prometheus_client import Histogram, Metric

from sed.message import Message

ONSET_BOUNDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 60.0, 600.0)
"""Seconds. Gun shots are told within half a second, sirens within two; the rest is for outages."""

DETECTED_BOUNDS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 60.0, 600.0)
"""Seconds. A block, a run of the model, the disk and the broker take about 0.02."""


class Delays:
    """Histograms by sink and label. A wall clock that was set, and is not followed yet, is part of what they say."""

    def __init__(self) -> None:
        self._onset = Histogram(
            "earwitness_onset_to_publish_seconds",
            "Seconds from a sound's onset until its start message was told: confirmed by the broker, or written.",
            ["sink", "label"],
            registry=None,
            buckets=ONSET_BOUNDS,
        )
        self._detected = Histogram(
            "earwitness_detected_to_publish_seconds",
            "Seconds from the sample that made an event certain until its start message was told.",
            ["sink", "label"],
            registry=None,
            buckets=DETECTED_BOUNDS,
        )

    def of(self, sink: str) -> Callable[[Message], None]:
        """What a sink calls with each message that it has told."""
        return lambda message: self._told(sink, message)

    def expect(self, sink: str, labels: Iterable[str]) -> None:
        """Begin these at 0, so that the first event of a label is seen as a rise."""
        for label in labels:
            for histogram in (self._onset, self._detected):
                histogram.labels(sink, label)

    def collect(self) -> Iterator[Metric]:
        """As Prometheus wants them."""
        for histogram in (self._onset, self._detected):
            yield from histogram.collect()

    def _told(self, sink: str, message: Message) -> None:
        if message["phase"] != "start":
            return
        now = time.time()
        for histogram, stamp in ((self._onset, message["onset"]), (self._detected, message["detected_at"])):
            delay = now - datetime.fromisoformat(str(stamp)).timestamp()
            histogram.labels(sink, str(message["label"])).observe(max(0.0, delay))
