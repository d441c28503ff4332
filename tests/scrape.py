"""What Prometheus would get, read with a parser of its own makers."""

import urllib.request
from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families


class Scrape:
    """All metrics of one answer."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self.families = list(families)
        self.samples = [sample for family in self.families for sample in family.samples]

    @property
    def names(self) -> set[str]:
        """Those of samples, and of families that have none yet, as a query would name them."""
        empty = {f"{f.name}_total" if f.type == "counter" else f.name for f in self.families if not f.samples}
        return empty | {sample.name for sample in self.samples}

    def value(self, metric: str, /, **labels: str) -> float:
        """Of the one sample with these labels, whatever else it has."""
        (found,) = [s.value for s in self.samples if s.name == metric and labels.items() <= s.labels.items()]
        return found

    def has(self, metric: str, /, **labels: str) -> bool:
        return any(s.name == metric and labels.items() <= s.labels.items() for s in self.samples)


def scrape(port: int, host: str = "127.0.0.1") -> Scrape:
    with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=60.0) as answer:
        return Scrape(text_string_to_metric_families(answer.read().decode()))
