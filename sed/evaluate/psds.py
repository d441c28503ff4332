"""PSDS by sed_scores_eval: how well scores tell events apart at any threshold, without rules."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sed.evaluate.bootstrap import Interval, Values, interval
from sed.evaluate.eventscores import Figures
from sed.evaluate.hearing import Heard
from sed.evaluate.libraries import hushed, library
from sed.evaluate.reference import Sound

SCENARIOS: dict[str, dict[str, float]] = {
    "psds1": {"dtc_threshold": 0.7, "gtc_threshold": 0.7, "alpha_ct": 0.0, "alpha_st": 1.0},
    "psds2": {"dtc_threshold": 0.1, "gtc_threshold": 0.1, "cttc_threshold": 0.3, "alpha_ct": 0.5, "alpha_st": 1.0},
}
"""As in DCASE task 4; false alarms count up to 100 an hour."""

DRAWS = 50
"""Draws of the interval: each takes as long as the figure itself."""


def psds(
    scenario: str, known: Sequence[Sequence[Sound]], heard: Sequence[Heard], labels: Sequence[str], weights: Values
) -> Figures:
    """PSDS of all labels together and of each alone, with its interval; not a number if a label has no event."""
    silent = [label for label in labels if not any(s.label == label for scene in known for s in scene)]
    if silent or not heard:
        return dict.fromkeys(("all", *labels), Interval(*3 * (float("nan"),)))
    names = [str(n) for n in range(len(heard))]
    scores = {name: _table(scene, labels) for name, scene in zip(names, heard, strict=True)}
    truth = {name: [(s.onset, s.offset, s.label) for s in own] for name, own in zip(names, known, strict=True)}
    seconds = {name: scene.seconds for name, scene in zip(names, heard, strict=True)}
    with hushed():
        terms = _terms(scenario, labels)
        deltas = _deltas(terms, scores, truth)
        rows = [_one(terms, deltas, truth, seconds, row, labels) for row in weights[: 1 + DRAWS]]
    return {label: interval(np.array([row[label] for row in rows])) for label in ("all", *labels)}


def _terms(scenario: str, labels: Sequence[str]) -> dict[str, float]:
    """A scenario's parameters; one label alone has no other to be taken for, which sed_scores_eval cannot count."""
    return {k: v for k, v in SCENARIOS[scenario].items() if len(labels) > 1 or k not in {"cttc_threshold", "alpha_ct"}}


def _table(scene: Heard, labels: Sequence[str]) -> Any:
    """The scores as sed_scores_eval takes them; rows after the recording's end are left out.

    They stay float32, so that it has to copy them: pandas 3 gives out its own arrays read-only, which sed_scores_eval
    up to 0.0.4 cannot work on (github.com/fgnt/sed_scores_eval/pull/17).
    """
    create = library("sed_scores_eval.base_modules.scores").create_score_dataframe
    count = max(1, min(len(scene.scores), int(np.ceil(round(scene.seconds / scene.period, 6)))))
    times = np.minimum(np.round(np.arange(count + 1) * scene.period, 6), scene.seconds)
    rows = scene.scores[:count] if len(scene.scores) else np.zeros((1, len(labels)))
    return create(rows, times, list(labels)).astype(dict.fromkeys(labels, np.float32))


def _deltas(scenario: Mapping[str, float], scores: dict[str, Any], truth: dict[str, Any]) -> Any:
    thresholds = {key: value for key, value in scenario.items() if key.endswith("threshold")}
    count = library("sed_scores_eval.intersection_based.intermediate_statistics").intermediate_statistics_deltas
    return count(scores, truth, **({"cttc_threshold": None} | thresholds))


def _one(
    scenario: Mapping[str, float],
    deltas: Any,
    truth: dict[str, Any],
    seconds: dict[str, float],
    weights: Values,
    labels: Sequence[str],
) -> dict[str, float]:
    """The score of scenes drawn `weights` times each; a scene drawn twice goes by two names."""
    drawn = {f"{name}-{n}": name for name, times in zip(truth, weights, strict=True) for n in range(int(times))}
    held = {s[2] for name in drawn.values() for s in truth[name]}
    if held != set(labels):
        return dict.fromkeys(("all", *labels), float("nan"))
    score, single, *_ = library("sed_scores_eval.intersection_based").psds(
        scores=None,
        deltas={copy: deltas[name] for copy, name in drawn.items()},
        ground_truth={copy: truth[name] for copy, name in drawn.items()},
        audio_durations={copy: seconds[name] for copy, name in drawn.items()},
        **scenario,
    )
    return {"all": float(score), **{label: float(single[label]) for label in labels}}
