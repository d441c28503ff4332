"""What is told of those who look on beside us, such as clips: whatever they count."""

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from sed.observer import Count, Lookout


@runtime_checkable
class Counting(Protocol):
    """A lookout that counts."""

    @property
    def counts(self) -> Iterable[Count]: ...  # noqa: D102


class OtherMetrics(Collector):
    """Of every lookout that counts."""

    def __init__(self, lookouts: Iterable[Lookout]) -> None:
        self._counting = [lookout for lookout in lookouts if isinstance(lookout, Counting)]

    def collect(self) -> Iterator[Metric]:
        """How it is now."""
        for lookout in self._counting:
            for count in lookout.counts:
                yield CounterMetricFamily(f"earwitness_{count.name}", count.text, count.value)
