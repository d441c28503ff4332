"""What is told of the program and its model, and whether sound gets through."""

from collections.abc import Callable, Iterator
from importlib.metadata import version
from platform import python_version

import onnxruntime
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from sed.metadata import Metadata


class ProgramMetrics(Collector):
    """Of the program, its model, and whether sound gets through as systemd's watchdog wants it."""

    def __init__(self, model: Metadata, flowing: Callable[[], bool]) -> None:
        self._model, self._flowing = model, flowing

    def collect(self) -> Iterator[Metric]:
        """How it is now."""
        build = {"version": version("earwitness"), "python": python_version(), "onnxruntime": onnxruntime.__version__}
        yield InfoMetricFamily("earwitness_build", "What is running.", build)
        model = {"name": self._model.name, "version": self._model.version}
        yield InfoMetricFamily("earwitness_model", "The model that is listened with.", model)
        text = "Whether sound gets through: what systemd's watchdog is told."
        yield GaugeMetricFamily("earwitness_sound_flowing", text, self._flowing())
