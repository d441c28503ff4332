"""Hyper-parameters by Optuna: short runs on one stock of scenes, the hopeless ones ended early, all kept in a file."""

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from sed.errors import EarwitnessError, SinkError, UsageError
from sed.train.distributed import refuse_several
from sed.train.fit import fit, gather, prepare
from sed.train.material import Material
from sed.train.members import refuse_members
from sed.train.settings import TrainSettings
from sed.train.space import FIXED_BY_A_MODEL, SPACE, Between, OneOf, as_settings, ask

log = logging.getLogger(__name__)

NAME: Final = "earwitness"
"""Of the study inside its file."""

UNPRUNED: Final = 4
"""Trials that go to their end before any is compared with them."""

_OF_A_RUN: Final = {
    "out",
    "config",
    "cache",
    "resume",
    "threads",
    "jobs",
    "workers",
    "device",
    "log_dir",
    "name",
    "version",
    "licence",
}
"""Settings that do not change what a trial finds."""

_TRIED: Final = set(as_settings(dict.fromkeys(SPACE, 0)))


@dataclass(frozen=True, slots=True)
class Effort:
    """When to stop: after so many finished trials in the study, whenever they were run, or so many minutes from now."""

    trials: int
    minutes: float | None = None


def tune(settings: TrainSettings, file: Path, effort: Effort) -> optuna.Study:
    """Add trials to the study in `file`, new or begun before; a trial is a run of `settings` with what is tried.

    What is sought is a low cross-entropy on the scenes of valid, the best of a run's checks. Raises EarwitnessError.
    """
    refuse_several("tune")
    refuse_members("tune", settings)
    prepare(settings)
    study = opened(file, settings)
    left = effort.trials - len(finished(study))
    if left <= 0:
        log.info("%s has %d finished trials; ask for more with --trials", file, len(finished(study)))
        return study
    material = gather(settings)
    study.optimize(
        lambda trial: _loss(trial, settings, material),
        n_trials=left,
        timeout=None if effort.minutes is None else 60.0 * effort.minutes,
        callbacks=[tell],
    )
    return study


def opened(file: Path, settings: TrainSettings) -> optuna.Study:
    """The study in `file`; raises UsageError if it is of other settings or no study, SinkError if it cannot be made."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        study = optuna.create_study(
            storage=RDBStorage(f"sqlite:///{file}"),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED, n_warmup_steps=settings.steps // 5),
            study_name=NAME,
            load_if_exists=True,
        )
    except OSError as error:
        raise SinkError(f"--study {file}: cannot be written ({error.strerror})") from error
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"--study {file}: not a study that can be gone on with ({reason})") from error
    _check_same(study, settings, file)
    study.sampler = optuna.samplers.TPESampler(seed=settings.seed + len(study.trials))  # else it would repeat itself
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)  # a kill left it behind
    return study


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that went to their end or were pruned."""
    return list(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)))


def best(study: optuna.Study) -> dict[str, Any]:
    """The settings of the best trial; raises EarwitnessError if none went to its end."""
    if not study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        raise EarwitnessError("tune: no trial went to its end; give it more --minutes, or fewer --steps")
    return as_settings(study.best_params)


def document(study: optuna.Study, given: Mapping[str, Any]) -> str:
    """TOML for `earwitness train --config`: what was given of the settings, and over it the best of what was tried."""
    chosen = best(study)
    where = f"# trial {study.best_trial.number} of {len(study.trials)}: loss on valid scenes {study.best_value:.4f}"
    return "\n".join([where, *(f"{name} = {_toml(value)}" for name, value in {**given, **chosen}.items()), ""])


def _loss(trial: optuna.Trial, settings: TrainSettings, material: Material) -> float:
    """Run one trial; returns its best loss on valid, raises TrialPruned if the others were better at this step."""
    lowest = math.inf

    def checked(step: int, loss: float) -> None:
        nonlocal lowest
        lowest = min(lowest, loss)
        trial.report(loss, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    fit(settings.model_copy(update=ask(trial, space(settings))), material, checked)
    return lowest


def space(settings: TrainSettings) -> Mapping[str, Between | OneOf]:
    """What can be tried with these settings."""
    fixed = FIXED_BY_A_MODEL if settings.finetune else frozenset()
    return {name: knob for name, knob in SPACE.items() if name not in fixed}


def tell(study: optuna.Study, trial: FrozenTrial) -> None:
    """Say how a trial ended, and which one is the best so far."""
    done = len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))
    ended = "pruned" if trial.state == TrialState.PRUNED else f"{trial.value:.4f}"
    low = f", the lowest is {study.best_value:.4f} of trial {study.best_trial.number}" if done else ""
    log.info("trial %d: %s%s; %s", trial.number, ended, low, as_settings(trial.params))


def _check_same(study: optuna.Study, settings: TrainSettings, file: Path) -> None:
    """Losses can be compared between runs of the same data, scenes and steps only."""
    own = json.loads(settings.model_dump_json(exclude=_OF_A_RUN | _TRIED))
    theirs = study.user_attrs.get("settings")
    if theirs is None:
        study.set_user_attr("settings", own)
        return
    usual = json.loads(TrainSettings(data=settings.data, out=settings.out).model_dump_json())  # of settings since added
    for name in sorted(own.keys() | theirs.keys()):
        before = theirs.get(name, usual.get(name))
        if own.get(name) != before:
            raise UsageError(
                f"--study {file}: was made with {name} = {before}, now it is {own.get(name)}; "
                "take another file, or the same settings"
            )


def _toml(value: Any) -> str:
    """A number, a text, a list of them, or a table; but for tables, JSON writes them as TOML does."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name} = {_toml(part)}" for name, part in value.items()) + "}"
    return json.dumps(value)
