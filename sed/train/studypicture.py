"""A picture of a study: how low each trial came, and which settings it mattered to."""

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from sed.errors import SinkError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENOUGH: Final = 25
"""Trials to their end without which importance is chance: on a loss known by a formula, 20 trials of a study named a
setting that it does not depend on; and fANOVA, which takes trials to be spread evenly, did so even after 100.
"""


def draw(study: optuna.Study, path: Path) -> None:
    """Draw the trials in their order and the importance of each setting into `path`; raises SinkError."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 4.4), layout="constrained")
    history, importances = figure.subplots(1, 2)
    _history(history, study)
    _importances(importances, importance(study))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror})") from error


def importance(study: optuna.Study) -> dict[str, float]:
    """How much each setting decides whether a trial is among the best tenth, the greatest first, summing to 1.

    PED-ANOVA, Watanabe et al. 2023.

    Nothing of fewer than ENOUGH finished trials, or of trials all alike.
    """
    values = [trial.value for trial in _ended(study)]
    if len(values) < ENOUGH or max(values) == min(values):
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return dict(get_param_importances(study, evaluator=PedAnovaImportanceEvaluator()))


def _ended(study: optuna.Study) -> list[FrozenTrial]:
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return [trial for trial in done if trial.value is not None and math.isfinite(trial.value)]


def _history(axes: "Axes", study: optuna.Study) -> None:
    ended = _ended(study)
    pruned = study.get_trials(deepcopy=False, states=(TrialState.PRUNED,))
    numbers, values = [trial.number for trial in ended], [trial.value for trial in ended]
    axes.plot(numbers, values, "o", color="#1c7ed6", markersize=5, label="to its end")
    lows = [(trial.number, min(trial.intermediate_values.values())) for trial in pruned if trial.intermediate_values]
    axes.plot([n for n, _ in lows], [low for _, low in lows], "x", color="#adb5bd", markersize=5, label="pruned")
    if values:
        axes.step(numbers, np.minimum.accumulate(values), where="post", color="#e8590c", linewidth=1.4, label="lowest")
    axes.set(xlabel="trial", ylabel="loss on valid scenes")
    axes.set_title(f"{len(ended)} trials to their end, {len(pruned)} pruned", loc="left", fontsize=10)
    axes.grid(color="#e9ecef")
    axes.legend(frameon=False, fontsize=8)


def _importances(axes: "Axes", shares: dict[str, float]) -> None:
    if not shares:
        axes.text(0.5, 0.5, f"fewer than {ENOUGH} trials to compare", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    names = list(reversed(shares))
    axes.barh(names, [shares[name] for name in names], color="#1c7ed6")
    axes.set(xlabel="share in being among the best tenth", xlim=(0.0, 1.0))
    axes.set_title("what mattered, as far as these trials tell", loc="left", fontsize=10)
