"""What is told of the journal, and of those who tell what is in it."""

import time
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from sed.errors import SinkError
from sed.journal import Journal
from sed.sinks.opened import Sinks


class DeliveryMetrics(Collector):
    """Of the journal, and of those who tell what is in it."""

    def __init__(self, journal: Journal, sinks: Sinks) -> None:
        self._journal, self._sinks = journal, sinks

    def collect(self) -> Iterator[Metric]:
        """How it is now; queues of a journal that cannot be read are left out."""
        yield from self._queues()
        discarded = CounterMetricFamily(
            "earwitness_discarded_messages", "Given up before they were told.", labels=["sink"]
        )
        for sink in sorted({*self._journal.sinks, *list(self._journal.discarded)}):
            discarded.add_metric([sink], self._journal.discarded[sink])
        yield discarded
        if (connected := self._sinks.connected) is not None:
            yield GaugeMetricFamily("earwitness_broker_connected", "Whether the broker accepts us now.", connected)
        text = "How often a broker has accepted us: the first time, and after each loss."
        yield CounterMetricFamily("earwitness_broker_connects", text, self._sinks.connects)
        for metric in self._sinks.delays.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric

    def _queues(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("earwitness_queue_messages", "Messages that wait to be told.", labels=["sink"])
        age = GaugeMetricFamily(
            "earwitness_queue_age_seconds", "Age of the oldest that waits; 0 if none.", labels=["sink"]
        )
        readable = True
        try:
            for sink in self._journal.sinks:
                oldest = self._journal.pending(sink, limit=1)
                waiting.add_metric([sink], self._journal.undelivered(sink))
                age.add_metric([sink], max(0.0, time.time() - oldest[0].at) if oldest else 0.0)
        except SinkError:
            readable = False
        yield from (waiting, age)
        yield GaugeMetricFamily("earwitness_journal_readable", "Whether the journal can be read now.", readable)
