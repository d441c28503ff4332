"""The trials of a study as Ray Tune runs them; imported once Ray is connected, and in its workers."""

import math
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.trial import TrialState
from ray import tune
from ray.tune.search import Searcher

from sed.errors import EarwitnessError
from sed.train.fit import fit, gather, prepare
from sed.train.settings import TrainSettings
from sed.train.space import Between, OneOf, ask
from sed.train.tuning import tell


class Trials(Searcher):
    """Ray's trials as those of an Optuna study: its sampler proposes, its pruner ends the hopeless ones.

    Unlike ray.tune.search.optuna.OptunaSearch, which has no pruner and remembers other steps, this leaves a study that
    goes on with or without Ray.
    """

    def __init__(self, study: optuna.Study, knobs: Mapping[str, Between | OneOf], minutes: float | None) -> None:
        """No trial begins after so many `minutes` from now."""
        super().__init__(metric="loss", mode="min")
        self._study, self._knobs = study, knobs
        self._until = math.inf if minutes is None else time.monotonic() + 60.0 * minutes
        self._open: dict[str, _Open] = {}

    def run(self, settings: TrainSettings, count: int, at_once: int | None, gpus: int, folder: str) -> list[str]:
        """Run so many trials of `settings`; Ray's notes go to `folder`. Returns why some failed."""
        learn = tune.with_parameters(_trial, settings=settings)
        tuner = tune.Tuner(
            tune.with_resources(learn, {"cpu": settings.threads, "gpu": gpus}),
            tune_config=tune.TuneConfig(search_alg=self, num_samples=count, max_concurrent_trials=at_once),
            run_config=tune.RunConfig(stop=self.hopeless, storage_path=folder, verbose=0),
        )
        return [_reason(error) for error in tuner.fit().errors]

    def suggest(self, trial_id: str) -> dict[str, Any] | str:  # type: ignore[override]
        """The settings that a new trial shall try."""
        if time.monotonic() >= self._until:
            return str(Searcher.FINISHED)
        self._open[trial_id] = own = _Open(self._study.ask())
        return ask(own.trial, self._knobs)

    def hopeless(self, trial_id: str, result: Mapping[str, Any]) -> bool:
        """Take note of a check; whether the other trials were better by then."""
        own, step, loss = self._open[trial_id], int(result["step"]), float(result["loss"])
        own.over = own.over or bool(result["over"])
        if step not in own.checks:  # Ray tells the last one twice
            own.checks[step] = loss
            own.trial.report(loss, step)
            own.pruned = bool(own.trial.should_prune())
        return own.pruned

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Nothing: `hopeless` was asked before."""

    def on_trial_complete(
        self,
        trial_id: str,
        result: dict[str, Any] | None = None,  # noqa: ARG002 - its last check, which is known
        error: bool = False,
    ) -> None:
        """Close the trial in the study: its value is its best check."""
        own = self._open.pop(trial_id)
        if own.pruned:
            ended = self._study.tell(own.trial, state=TrialState.PRUNED)
        elif own.over and not error:
            ended = self._study.tell(own.trial, min(own.checks.values()))
        else:
            self._study.tell(own.trial, state=TrialState.FAIL)
            return
        tell(self._study, ended)

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the study has it all."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: the study has it all."""


@dataclass(slots=True)
class _Open:
    """A trial under way."""

    trial: optuna.Trial
    checks: dict[int, float] = field(default_factory=dict)  # loss by step
    over: bool = False
    pruned: bool = False


def _trial(drawn: dict[str, Any], settings: TrainSettings) -> None:
    """What runs in a worker: one run of `settings` with what was drawn, each check reported."""
    told: dict[str, Any] = {}

    def checked(step: int, loss: float) -> None:
        told.update(step=step, loss=loss, over=False)
        tune.report(dict(told))

    try:
        prepare(settings)
        fit(settings.model_copy(update=drawn), gather(settings), checked)
    except EarwitnessError as error:
        raise RuntimeError(f"{socket.gethostname()}: {error}") from None
    tune.report({**told, "over": True})


def _reason(error: Exception) -> str:
    """The last line of it, without what kind of error it is."""
    last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    return re.sub(r"^[\w.]*Error: ", "", last.strip())
