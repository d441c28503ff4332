"""Health for Prometheus: looks on at every source, and serves `/metrics` where `[metrics]` says."""

import contextlib
import logging
from collections.abc import Callable, Sequence

from prometheus_client.registry import Collector

from sed.config import Config, MetricsConfig
from sed.ear import Ear
from sed.errors import SinkError
from sed.health.delivery import DeliveryMetrics
from sed.health.exporter import Exporter
from sed.health.others import OtherMetrics
from sed.health.program import ProgramMetrics
from sed.health.sources import SourceMetrics
from sed.health.tally import Tally
from sed.journal import Journal
from sed.metadata import Metadata
from sed.observer import Lookout, Origin
from sed.sinks.opened import Sinks

_LOG = logging.getLogger(__name__)


class Health:
    """Counts from the beginning, whether anybody asks or not: a reload may bring `[metrics]`."""

    def __init__(self, model: Metadata, ears: Callable[[], Sequence[Ear]], flowing: Callable[[], bool]) -> None:
        """`ears` are those that listen now; `flowing` tells whether sound gets through."""
        self._model, self._ears, self._flowing = model, ears, flowing
        self._wanted: MetricsConfig | None = None
        self._exporter: Exporter | None = None
        self.collectors: Sequence[Collector] = ()
        """What is told; whoever else tells it may read them."""
        self._tallies: dict[str, Tally] = {}  # by source

    def serve(self, config: Config, journal: Journal, sinks: Sinks, others: Sequence[Lookout] = ()) -> None:
        """Begin to answer, if the configuration says so. Raises SinkError if the port cannot be had."""
        self.collectors = (
            ProgramMetrics(self._model, self._flowing),
            SourceMetrics(self._ears, self._tallies, journal),
            DeliveryMetrics(journal, sinks),
            OtherMetrics(others),
        )
        self._open(config.metrics)

    def observe(self, origin: Origin) -> Tally:
        """What counts for one source."""
        tally = self._tallies[origin.source] = Tally(origin)
        return tally

    def update(self, config: Config) -> None:
        """Take over another port or address; if it cannot be had, stay where we were, and say so."""
        before = self._wanted
        if config.metrics == before:
            return
        try:
            self._open(config.metrics)
        except SinkError as error:
            _LOG.error("reload: %s", error)
            with contextlib.suppress(SinkError):  # somebody else may have taken the old port in that moment
                self._open(before)

    def close(self) -> None:
        """Answer no more."""
        self._open(None)

    def _open(self, wanted: MetricsConfig | None) -> None:
        if self._exporter is not None:
            self._exporter.close()
        self._exporter = self._wanted = None
        if wanted is not None:
            self._exporter = Exporter(wanted, self.collectors)
            self._wanted = wanted
            _LOG.info("metrics: http://%s/metrics", wanted.place)
