"""Everything that is measured of a model on a set of scenes, each figure with its interval."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sed.evaluate.bootstrap import DRAWS, Interval, Values, draws_of, interval, intervals, ratio
from sed.evaluate.confusion import Confusion, confusion
from sed.evaluate.curves import Curve, Segments, segments
from sed.evaluate.eventscores import Figures, Tally, by_event, by_onset, by_segment
from sed.evaluate.hearing import Heard
from sed.evaluate.listener import Listener, listener, measurable
from sed.evaluate.pairs import Pair, paired
from sed.evaluate.psds import psds
from sed.evaluate.reference import Sound
from sed.evaluate.scenelist import Scene
from sed.metadata import Rule
from sed.model import OnnxModel

QUIETER_DB = 20.0
CLEAR_DB = 12.0
"""An event this far above the bed is hard to excuse missing."""
BED_EDGES_DBFS = (-40.0, -35.0)
"""They part quiet, middle and loud beds; those of `earwitness scenes` lie evenly between -45 and -30."""

Step = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a model: over all labels and of each."""

    name: str  # its key in JSON
    title: str
    digits: int  # behind the point
    figures: Figures


@dataclass(slots=True)
class Findings:
    """What was measured, on what."""

    labels: tuple[str, ...]
    hours: dict[str, float]  # by kind of scene
    scenes: dict[str, int]  # by kind
    events: dict[str, int]  # by label
    measures: list[Measure] = field(default_factory=list)
    curves: dict[str, Curve] = field(default_factory=dict)
    confusion: Confusion = field(default_factory=Counter)
    heard: list[tuple[Scene, Heard]] = field(default_factory=list)  # at their own level, plain sound last


@dataclass(frozen=True, slots=True)
class _Listened:
    """Scenes, what was told of them, and how often each is drawn."""

    labels: tuple[str, ...]
    scenes: Sequence[Scene]
    heard: Sequence[Heard]
    weights: Values  # (1 + draws, scenes)

    @property
    def known(self) -> list[tuple[Sound, ...]]:
        return [scene.events for scene in self.scenes]

    @property
    def seconds(self) -> Values:
        return np.array([one.seconds for one in self.heard], np.float64)

    @property
    def kinds(self) -> list[str]:
        return list(dict.fromkeys(scene.kind for scene in self.scenes))

    def of(self, kind: str) -> Values:
        """1 for each scene of a kind, else 0."""
        return np.array([scene.kind == kind for scene in self.scenes], np.float64)


def evaluate(
    model: OnnxModel,
    rules: Mapping[str, Rule],
    scenes: Sequence[Scene],
    plain: Sequence[Scene] = (),
    *,
    labels: Sequence[str] | None = None,
    seed: int = 0,
    step: Step = lambda: None,
) -> Findings:
    """Measure a model with its rules, some labels or those that `measurable` names; all runs through `detect`."""
    own = measurable(model.metadata.labels, rules, scenes) if labels is None else labels
    return measured(listener(model, rules, own), scenes, plain, seed=seed, step=step)


def measured(
    who: Listener,
    scenes: Sequence[Scene],
    plain: Sequence[Scene] = (),
    *,
    seed: int = 0,
    step: Step = lambda: None,
) -> Findings:
    """Measure on `scenes`, whose events are known, and count false alarms on `plain`, in which there are none.

    F1, error rates, delays and recall are those of the scenes with events; false alarms are told by kind of scene;
    PSDS and average precision take all scenes. `step` is called after each recording, of which there are
    `2 * len(scenes) + len(plain)`.
    """
    labels = who.labels
    own = [replace(scene, events=tuple(s for s in scene.events if s.label in labels)) for scene in scenes]
    findings = Findings(labels, {}, {}, dict(Counter(s.label for scene in own for s in scene.events)))
    if own:
        mixed = _listen(who, own, 0.0, seed, step)
        quiet = _listen(who, own, -QUIETER_DB, seed, step)
        _describe(findings, mixed)
        findings.measures += [*_on_scenes(mixed, quiet)]
        findings.curves = segments(mixed.known, mixed.heard, labels).curves()
        findings.heard = list(zip(mixed.scenes, mixed.heard, strict=True))
        findings.confusion = confusion((scene, heard.told) for scene, heard in findings.heard)
    if plain:
        ordinary = _listen(who, plain, 0.0, seed, step)
        _describe(findings, ordinary)
        findings.measures += [*_on_plain(ordinary)]
        findings.heard += zip(ordinary.scenes, ordinary.heard, strict=True)
    return findings


def _listen(listener: Listener, scenes: Sequence[Scene], gain_db: float, seed: int, step: Step) -> _Listened:
    heard: list[Heard] = []
    gain = np.float32(10.0 ** (gain_db / 20.0))
    for scene in scenes:
        heard.append(listener.hear(scene.read(listener.rate) * gain))
        step()
    weights = draws_of([scene.source for scene in scenes], DRAWS, seed)
    return _Listened(listener.labels, scenes, heard, weights)


def _describe(findings: Findings, listened: _Listened) -> None:
    for kind in listened.kinds:
        of = listened.of(kind)
        findings.scenes[kind] = int(of.sum())
        findings.hours[kind] = float(of @ listened.seconds) / 3600.0


def _on_scenes(mixed: _Listened, quiet: _Listened) -> Iterator[Measure]:
    onsets = by_onset(mixed.known, mixed.heard, mixed.labels)
    with_events = mixed.weights * np.array([bool(scene.events) for scene in mixed.scenes], np.float64)
    yield from _by_counts(mixed, onsets, with_events)
    yield from _by_scores(mixed)
    yield from _by_pairs(mixed)
    lower = by_onset(quiet.known, quiet.heard, quiet.labels)
    yield Measure("onset_f1_quieter", f"onset F1, {QUIETER_DB:g} dB quieter", 3, lower.f1(with_events))
    yield Measure("onset_f1_change", "  its change", 3, onsets.change(lower, with_events))
    yield Measure("onset_recall_quieter", "  recall", 3, lower.recall(with_events))
    yield from _alarms(mixed, onsets, "{} scenes")


def _on_plain(ordinary: _Listened) -> Iterator[Measure]:
    onsets = by_onset(ordinary.known, ordinary.heard, ordinary.labels)
    all_of = np.ones(len(ordinary.scenes))
    figures = onsets.false_per_hour(ordinary.weights, ordinary.seconds, all_of)
    yield Measure("false_alarms_per_hour_plain", "false alarms/h, plain sound", 2, figures)
    yield from _alarms(ordinary, onsets, "  of it {}")


def _by_counts(mixed: _Listened, onsets: Tally, with_events: Values) -> Iterator[Measure]:
    yield Measure("onset_f1", "onset F1 (500 ms)", 3, onsets.f1(with_events))
    yield Measure("onset_precision", "  precision", 3, onsets.precision(with_events))
    yield Measure("onset_recall", "  recall", 3, onsets.recall(with_events))
    yield Measure("onset_error_rate", "  error rate", 3, onsets.error_rate(with_events))
    yield Measure("onset_f1_all_scenes", "  F1 over all scenes", 3, onsets.f1(mixed.weights))
    events = by_event(mixed.known, mixed.heard, mixed.labels)
    yield Measure("event_f1", "event F1 (200 ms, 20 %)", 3, events.f1(with_events))
    seconds = by_segment(mixed.known, mixed.heard, mixed.labels)
    yield Measure("segment_f1", "segment F1 (1 s)", 3, seconds.f1(with_events))
    yield Measure("segment_error_rate", "  error rate", 3, seconds.error_rate(with_events))


def _by_scores(mixed: _Listened) -> Iterator[Measure]:
    for scenario in ("psds1", "psds2"):
        figures = psds(scenario, mixed.known, mixed.heard, mixed.labels, mixed.weights)
        yield Measure(scenario, scenario.upper(), 3, figures)
    cut: Segments = segments(mixed.known, mixed.heard, mixed.labels)
    yield Measure("average_precision", "average precision (1 s)", 3, cut.average_precision(mixed.weights))


def _by_pairs(mixed: _Listened) -> Iterator[Measure]:
    pairs = [
        (number, pair)
        for number, (scene, heard) in enumerate(zip(mixed.scenes, mixed.heard, strict=True))
        for pair in paired(scene.events, heard.told)
    ]
    found = [(number, pair) for number, pair in pairs if pair.told is not None]
    yield Measure("onset_error_ms", "onset error, median ms", 0, _medians(mixed, found, abs))
    yield Measure("onset_delay_ms", "  signed", 0, _medians(mixed, found, float))
    yield from _by_ratio(mixed, pairs)
    yield from _by_bed(mixed, pairs)


def _by_ratio(mixed: _Listened, pairs: Sequence[tuple[int, Pair]]) -> Iterator[Measure]:
    """Recall by how far events stand above the bed, as far as that is known."""
    levelled = [(n, level, pair) for n, pair in pairs if (level := mixed.scenes[n].ratio_db(pair.known)) is not None]
    for level in sorted({level for _, level, _ in levelled}):
        own = [(n, pair) for n, at, pair in levelled if at == level]
        yield Measure(f"recall_{level:g}_db", f"recall at {level:g} dB", 3, _recalls(mixed, own))
    if clear := [(n, pair) for n, at, pair in levelled if at >= CLEAR_DB]:
        yield Measure("recall_clear", f"  at {CLEAR_DB:g} dB and above", 3, _recalls(mixed, clear))


def _by_bed(mixed: _Listened, pairs: Sequence[tuple[int, Pair]]) -> Iterator[Measure]:
    """Recall in quiet, middle and loud beds, if it is known of any how loud it is."""
    levelled = [(n, level, pair) for n, pair in pairs if (level := mixed.scenes[n].bed_dbfs) is not None]
    low, high = BED_EDGES_DBFS
    thirds = (
        ("quiet", float("-inf"), low, f"recall, bed below {low:g} dBFS"),
        ("middle", low, high, f"  bed {low:g} to {high:g} dBFS"),
        ("loud", high, float("inf"), f"  bed {high:g} dBFS and above"),
    )
    for name, least, most, title in thirds if levelled else ():
        own = [(n, pair) for n, level, pair in levelled if least <= level < most]
        yield Measure(f"recall_{name}_beds", title, 3, _recalls(mixed, own))


def _alarms(listened: _Listened, onsets: Tally, title: str) -> Iterator[Measure]:
    for kind in listened.kinds:
        figures = onsets.false_per_hour(listened.weights, listened.seconds, listened.of(kind))
        name = f"false_alarms_per_hour_{kind}"
        words = title.format(kind)
        yield Measure(name, words if words.startswith(" ") else f"false alarms/h, {words}", 2, figures)


def _medians(mixed: _Listened, found: Sequence[tuple[int, Pair]], sign: Callable[[float], float]) -> Figures:
    """The median delay in milliseconds, over all labels and of each."""

    def of(label: str | None) -> Interval:
        own = [(n, sign(pair.delay)) for n, pair in found if label in {None, pair.known.label}]
        scene = np.array([n for n, _ in own], np.intp)
        delays = 1000.0 * np.array([delay for _, delay in own], np.float64)
        return intervals(lambda weights: _median(np.repeat(delays, weights[scene].astype(np.intp))), mixed.weights)

    return {"all": of(None), **{label: of(label) for label in mixed.labels}}


def _median(values: Values) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _recalls(mixed: _Listened, pairs: Sequence[tuple[int, Pair]]) -> Figures:
    """The share of the events found; `all` is that of all events together."""
    found, there = (np.zeros((len(mixed.scenes), len(mixed.labels))) for _ in range(2))
    for number, pair in pairs:
        there[number, mixed.labels.index(pair.known.label)] += 1
        found[number, mixed.labels.index(pair.known.label)] += pair.told is not None
    each = ratio(mixed.weights @ found, mixed.weights @ there)
    total = ratio(mixed.weights @ found.sum(axis=1), mixed.weights @ there.sum(axis=1))
    return {"all": interval(total), **{label: interval(each[:, n]) for n, label in enumerate(mixed.labels)}}
