"""What is told of each source."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, get_args, runtime_checkable

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from sed.ear import Ear
from sed.health.tally import Tally
from sed.journal import Journal, SourceState
from sed.postprocess import Reason
from sed.signals import State
from sed.source.capture import Losses

Values = Iterable[tuple[tuple[str, ...], float]]
"""Each with the values of the labels that follow `source`."""


@runtime_checkable
class Fitted(Protocol):
    """A clock that is fitted to the computer's."""

    @property
    def drift_ppm(self) -> float: ...  # noqa: D102
    @property
    def wall_step(self) -> float:
        """Seconds."""


@runtime_checkable
class Device(Protocol):
    """A source that is opened again, and knows what it lost."""

    opened: int
    losses: Losses


@dataclass(frozen=True, slots=True)
class Sight:
    """All there is to see of one source."""

    ear: Ear
    tally: Tally
    state: SourceState | None

    def dropped(self) -> Values:
        """What never reached the detector."""
        ring = self.tally.origin.ring
        return [(("overwritten",), ring.overwritten), (("gap",), ring.missed)]

    def faults(self) -> Values:
        """How often the device lost something."""
        source = self.ear.source
        if not isinstance(source, Device):
            return []
        return [(("overflow",), source.losses.overflows), (("gap",), source.losses.gaps)]

    def opens(self) -> Values:
        """How often sound began to come."""
        return [((), source.opened)] if isinstance(source := self.ear.source, Device) else []

    def events(self) -> Values:
        """By label."""
        return [((label,), count) for label, count in dict(self.tally.events).items()]

    def rejected(self) -> Values:
        """By label and reason; labels that alert begin at 0."""
        none = {(label, reason): 0 for label in dict(self.tally.events) for reason in get_args(Reason)}
        return list((none | dict(self.ear.rejected)).items())

    def unwritten(self) -> Values:
        """Messages."""
        return [((), self.ear.discarded)]

    def level(self) -> Values:
        """dBFS."""
        return [((), self.state.level_dbfs)] if self.state else []

    def states(self) -> Values:
        """1 for the one that holds, 0 for the others."""
        return [((each,), self.state.state == each) for each in get_args(State)] if self.state else []

    def clock(self, read: Callable[[Fitted], float]) -> Values:
        """Of a clock that is fitted."""
        return [((), read(clock))] if isinstance(clock := self.tally.origin.clock, Fitted) else []

    def behind(self) -> Values:
        """Seconds of sound that wait for the detector."""
        return [((), self.tally.origin.ring.waiting / self.tally.origin.metadata.frontend.sample_rate)]

    def drift(self, part: str) -> Values:
        """In spreads of the training set."""
        distance = self.tally.drift.distance() if self.tally.drift else None
        return [((), getattr(distance, part))] if distance else []


@dataclass(frozen=True, slots=True)
class Family:
    """One metric of all sources."""

    kind: type[CounterMetricFamily] | type[GaugeMetricFamily]
    name: str
    text: str
    read: Callable[[Sight], Values]
    labels: tuple[str, ...] = ()

    def of(self, sights: Iterable[Sight]) -> Metric:
        """With a value for each source that has one."""
        metric = self.kind(f"earwitness_{self.name}", self.text, labels=("source", *self.labels))
        for sight in sights:
            for labels, value in self.read(sight):
                metric.add_metric((sight.ear.name, *labels), value)
        return metric


COUNTER, GAUGE = CounterMetricFamily, GaugeMetricFamily
FAMILIES = (
    Family(COUNTER, "audio_seconds", "Seconds of sound that were listened to.", lambda s: [((), s.tally.seconds)]),
    Family(
        COUNTER,
        "dropped_samples",
        "Samples that never reached the detector: overwritten because it was too slow, or a gap in what was captured.",
        Sight.dropped,
        ("cause",),
    ),
    Family(COUNTER, "capture_faults", "How often a device dropped sound, by what told of it.", Sight.faults, ("kind",)),
    Family(COUNTER, "source_opens", "How often sound began to come from a device.", Sight.opens),
    Family(COUNTER, "events", "Sound events that were written to the journal.", Sight.events, ("label",)),
    Family(
        COUNTER,
        "rejected_candidates",
        "Sounds that reached a label's threshold and became no event, by the rule that rejected them.",
        Sight.rejected,
        ("label", "reason"),
    ),
    Family(COUNTER, "unwritten_messages", "Messages lost because the journal took none for long.", Sight.unwritten),
    Family(GAUGE, "level_dbfs", "Loudest 40 ms of the last second; silence is -120.", Sight.level),
    Family(GAUGE, "source_state", "1 for the state the source is in, 0 for the others.", Sight.states, ("state",)),
    Family(GAUGE, "detector_behind_seconds", "Sound that waits for the detector.", Sight.behind),
    Family(
        GAUGE,
        "clock_drift_ppm",
        "How much faster than it should the sound card runs, in millionths.",
        lambda s: s.clock(lambda clock: clock.drift_ppm),
    ),
    Family(
        GAUGE,
        "clock_step_seconds",
        "How far the wall clock was set forward; event times do not follow yet.",
        lambda s: s.clock(lambda clock: clock.wall_step),
    ),
    Family(
        GAUGE,
        "input_level_drift",
        "Level of the last ten minutes against the training set's, in its spreads: below -1.3 it is too quiet.",
        lambda s: s.drift("level"),
    ),
    Family(
        GAUGE,
        "input_spectrum_drift",
        "Spectrum of the last ten minutes against the training set's, in its spreads: normal up to 0.4.",
        lambda s: s.drift("spectrum"),
    ),
)


class SourceMetrics(Collector):
    """Of every source that is listened to."""

    def __init__(self, ears: Callable[[], Sequence[Ear]], tallies: Mapping[str, Tally], journal: Journal) -> None:
        """`tallies` by the names of sources."""
        self._ears, self._tallies, self._journal = ears, tallies, journal

    def collect(self) -> Iterator[Metric]:
        """How they are now."""
        states = {state.source: state for state in self._journal.states()}
        tallies = dict(self._tallies)
        sights = [Sight(ear, tallies[ear.name], states.get(ear.name)) for ear in self._ears() if ear.name in tallies]
        yield from (family.of(sights) for family in FAMILIES)
        text = "Runs of the model, and the seconds they took; of a run for many sources, each has its share."
        metric = SummaryMetricFamily("earwitness_inference_seconds", text, labels=("source",))
        for sight in sights:
            metric.add_metric((sight.ear.name,), sight.ear.model.runs, sight.ear.model.seconds)
        yield metric
