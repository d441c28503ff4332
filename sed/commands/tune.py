"""`earwitness tune`: many short runs by Optuna, the best settings as a file for `earwitness train`, and a picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sed.commands.train import read, settings_of
from sed.errors import SinkError, UsageError

STEPS = 1000
"""Of a trial, where nothing else is said."""

CHECKS = 8
"""Of a trial on valid: where it may be pruned."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where trials run at the same time; `local` is this machine, without a word as many as there is room for."""

    address: str
    at_once: int | None = None


def run(
    data: Path,
    study: Path,
    trials: int,
    minutes: float | None,
    config: Path | None = None,
    cluster: Cluster | None = None,
    **given: Any,
) -> None:
    """Go on with the study until it has so many finished trials; raises UsageError, AudioError and SinkError.

    Beside the study are written its best settings (.toml) and its picture (.png).
    """
    if study.suffix in {".toml", ".png"}:
        raise UsageError(f"--study {study}: its results go there; take a name such as {study.with_suffix('.db')}")
    told = read(config)
    steps = given.get("steps") or told.get("steps") or STEPS
    short = {"steps": steps, "check_every": max(1, steps // CHECKS), "patience": None, "log_dir": None}
    settings = settings_of(data, study.with_suffix(".trial.onnx"), config, {**given, **short})
    try:
        from sed.train.raytune import tune_on
        from sed.train.studypicture import draw
        from sed.train.tuning import Effort, best, document, tune
    except ModuleNotFoundError as error:
        raise UsageError(f"tune: needs {error.name}; pip install 'earwitness[train]'") from error
    effort = Effort(trials, minutes)
    if cluster is None:
        found = tune(settings, study, effort)
    else:
        found = tune_on(cluster.address, settings, study, effort, cluster.at_once)
    best(found)  # told before anything is written if there is none
    kept = {name: value for name, value in given.items() if name in {"labels", "seed", "finetune"}}
    settings_file = study.with_suffix(".toml")
    _write(settings_file, document(found, {**told, **kept}))
    draw(found, study.with_suffix(".png"))
    print(f"{settings_file}: loss on valid scenes {found.best_value:.4f}, of trial {found.best_trial.number}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror})") from error
