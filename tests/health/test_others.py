"""What others who look on count becomes metrics; who counts nothing is left alone."""

from sed.clips.lookout import Clips
from sed.config import Config
from sed.health.others import OtherMetrics
from sed.observer import Count, Observer, Origin
from tests.scrape import Scrape


class Silent:
    """Counts nothing."""

    def observe(self, origin: Origin) -> Observer:
        return Observer()

    def update(self, config: Config) -> None: ...

    def close(self) -> None: ...


class Doorbell(Silent):
    """Counts how often somebody rang."""

    def __init__(self) -> None:
        self.rung = 0

    @property
    def counts(self) -> tuple[Count, ...]:
        return (Count("doorbell_rings", "How often somebody rang.", self.rung),)


def test_who_counts_is_asked_at_every_scrape() -> None:
    doorbell = Doorbell()
    metrics = OtherMetrics([Silent(), doorbell])
    before = Scrape(metrics.collect())
    doorbell.rung = 3
    after = Scrape(metrics.collect())
    values = [each.value("earwitness_doorbell_rings_total") for each in (before, after)]
    assert values == [0.0, 3.0]
    assert len(after.samples) == 1


def test_clips_are_counted() -> None:
    found = Scrape(OtherMetrics([Clips()]).collect())
    assert found.value("earwitness_clips_written_total") == 0.0
    assert found.value("earwitness_clips_lost_total") == 0.0
