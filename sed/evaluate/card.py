"""A model's card in Markdown, made of its file, of what `evaluate` wrote about it, and of nothing else."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from sed.metadata import Metadata

ALL = "all"

TITLES = {
    "onset_f1": "onset F1 (500 ms)",
    "onset_error_rate": "onset error rate",
    "onset_f1_all_scenes": "onset F1 over all scenes",
    "event_f1": "event F1 (200 ms, 20 %)",
    "segment_f1": "segment F1 (1 s)",
    "psds1": "PSDS1",
    "psds2": "PSDS2",
    "average_precision": "average precision (1 s)",
    "onset_error_ms": "onset error, median ms",
    "onset_delay_ms": "onset delay, signed, median ms",
    "recall_clear": "recall of clear events",
    "recall_quiet_beds": "recall, bed below -40 dBFS",
    "recall_middle_beds": "recall, bed -40 to -35 dBFS",
    "recall_loud_beds": "recall, bed -35 dBFS and above",
    "onset_f1_quieter": "onset F1, played quieter",
    "onset_f1_change": "its change",
}
"""What a measure is called where its key alone does not say it."""

SHOWN = 25
"""Data sets that are named; the others are told together."""

_LONG = 8
"""A list of more values than this is for machines."""

_LEVEL = re.compile(r"recall_(-?[\d.]+)_db")
_ALARMS = "false_alarms_per_hour_"


@dataclass(frozen=True, slots=True)
class Clips:
    """Recordings of one side of the split, counted by data set and kind of licence."""

    split: str
    kinds: tuple[str, ...]  # of licence
    targets: Mapping[tuple[str, str], int]  # by (data set, kind), of the model's labels
    others: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of CPU a second of sound, by stage."""

    block_ms: int
    stages: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Subject:
    """A model file and what is known of it."""

    metadata: Metadata
    size: int  # bytes
    sha256: str
    evaluations: Sequence[Mapping[str, Any]] = ()  # documents of evaluate
    clips: Sequence[Clips] = ()
    costs: Sequence[Cost] = ()
    machine: str = ""


def card(subject: Subject) -> str:
    """Markdown, one section; what there is nothing known of is left out."""
    parts = (_head, _rules, _learnt, _clips, _evaluations, _told, _cost)
    sections = ["\n".join(lines) for part in parts if (lines := list(part(subject)))]
    return "\n\n".join(sections) + "\n"


def _head(subject: Subject) -> Iterator[str]:
    meta, f = subject.metadata, subject.metadata.frontend
    labels = ", ".join(f"`{label}`" for label in meta.labels)
    rows = (
        ("labels", labels),
        ("version, licence", f"{meta.version}, {meta.licence}"),
        ("size", f"{subject.size:,} bytes"),
        ("sha256", f"`{subject.sha256}`"),
        ("sound", f"{f.sample_rate} Hz mono, {f.low_hz:g} to {f.high_hz:g} Hz"),
        ("log-mel", f"{f.mels} bands, window {f.window}, hop {f.hop} samples"),
        (
            "scores",
            f"a row each {1000 * meta.period:g} ms, known {1000 * meta.ahead / f.sample_rate:g} ms after its end",
        ),
    )
    yield f"## {meta.name}\n"
    yield from _table(("", ""), rows, numbers=False)


def _rules(subject: Subject) -> Iterator[str]:
    names = ("on", "off", "min_duration", "max_gap", "max_rise", "cooldown", "median", "alert")
    rules = {label: subject.metadata.rules[label].model_dump() for label in subject.metadata.labels}
    yield "### Rules\n"
    yield from _table(("label", *names), ((label, *(_value(rule[n]) for n in names)) for label, rule in rules.items()))


def _learnt(subject: Subject) -> Iterator[str]:
    training = dict(subject.metadata.training)
    if not training:
        return
    yield "### Training\n"
    if command := training.pop("command", None):
        yield f"```\n{command}\n```\n"
    yield from _table(("", ""), _flat(training), numbers=False)


def _clips(subject: Subject) -> Iterator[str]:
    if not subject.clips:
        return
    yield "### Data\n"
    yield "Files by kind of licence: those of the model's labels + those of other classes.\n"
    kinds = subject.clips[0].kinds
    yield from _table(
        ("split", *kinds),
        ((side.split, *(_both(side, _data_sets(side), kind) for kind in kinds)) for side in subject.clips),
    )
    first = subject.clips[0]
    names = _data_sets(first)
    rows = [(name or "not named", *(_both(first, [name], kind) for kind in kinds)) for name in names[:SHOWN]]
    if rest := names[SHOWN:]:
        rows.append((f"{len(rest)} other data sets", *(_both(first, rest, kind) for kind in kinds)))
    yield f"\nOf these, split `{first.split}` by data set:\n"
    yield from _table(("data set", *kinds), rows)


def _data_sets(side: Clips) -> list[str]:
    """Those that gave the most of the model's labels first, then the most of others."""
    targets, others = Counter[str](), Counter[str]()
    for sums, counts in ((targets, side.targets), (others, side.others)):
        for (name, _), files in counts.items():
            sums[name] += files
    return sorted({*targets, *others}, key=lambda name: (-targets[name], -others[name], name))


def _both(side: Clips, names: Sequence[str], kind: str) -> str:
    targets, others = (sum(one.get((name, kind), 0) for name in names) for one in (side.targets, side.others))
    return f"{targets} + {others}" if targets or others else ""


def _evaluations(subject: Subject) -> Iterator[str]:
    for number, document in enumerate(subject.evaluations):
        yield f"{'' if number == 0 else chr(10)}### Measured on {_place(document)}\n"
        kinds = (f"{n} {kind} ({document['hours'][kind]:.2f} h)" for kind, n in document["scenes"].items())
        events = [f"{n} {label}" for label, n in sorted(document["events"].items())]
        told = f"; events: {', '.join(events)}" if events else ""
        drawn = f"{document['confidence']:.0%} bootstrap intervals, a bed drawn with all scenes over it"
        yield f"{', '.join(kinds)}{told}. In brackets: {drawn}.\n"
        columns = (ALL, *document["labels"])
        rows = (
            (_title(name), *(_figure(name, figures.get(column)) for column in columns))
            for name, figures in document["measures"].items()
        )
        yield from _table(("", *columns), rows)


def _place(document: Mapping[str, Any]) -> str:
    """The name of the folder of scenes; plain files have none."""
    return PurePath(document.get("scenes_from") or "ordinary sound").name


def _told(subject: Subject) -> Iterator[str]:
    worst = [(document, pair) for document in subject.evaluations for pair in document.get("worst_pairs", ())]
    if worst:
        yield "### Most frequent mistakes\n"
        yield "What was there, what was told, how often.\n"
        yield from (f"* {pair} ({_place(document)})" for document, pair in worst)


def _cost(subject: Subject) -> Iterator[str]:
    if not subject.costs:
        return
    yield "### Cost\n"
    yield f"Milliseconds of CPU a second of sound, one thread; {subject.machine}.\n"
    rows = ((stage, *(f"{cost.stages[stage]:.3f}" for cost in subject.costs)) for stage in subject.costs[0].stages)
    yield from _table(("stage", *(f"{cost.block_ms} ms blocks" for cost in subject.costs)), rows)


def _table(head: Sequence[str], rows: Any, *, numbers: bool = True) -> Iterator[str]:
    """A Markdown table; `numbers`: every column but the first is set to the right."""
    marks = ("---", *("--:" if numbers else "---" for _ in head[1:]))
    for row in (head, marks, *rows):
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"


def _title(name: str) -> str:
    if name.startswith(_ALARMS):
        return f"false alarms/h, {name.removeprefix(_ALARMS)}"
    if level := _LEVEL.fullmatch(name):
        return f"recall at {level[1]} dB"
    return TITLES.get(name, name.replace("_", " "))


def _figure(name: str, figure: Mapping[str, float | None] | None) -> str:
    """A figure and its interval, as `0.82 [0.78..0.86]`; a dash where there is none."""
    if figure is None or figure["value"] is None:
        return "-"
    digits = 0 if name.endswith("_ms") else 2 if name.startswith(_ALARMS) else 3
    if figure["low"] is None or figure["high"] is None:
        return f"{figure['value']:.{digits}f}"
    return f"{figure['value']:.{digits}f} [{figure['low']:.{digits}f}..{figure['high']:.{digits}f}]"


def _flat(document: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in document.items():
        name = f"{before}{key}"
        if isinstance(value, list) and value and all(isinstance(part, Mapping) for part in value):
            value = {str(number): part for number, part in enumerate(value, 1)}
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}, ")
        elif not (isinstance(value, list) and len(value) > _LONG):
            yield name.replace("_", " "), _value(value)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return str(value)
