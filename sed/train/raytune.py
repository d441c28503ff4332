"""Hyper-parameters on a Ray cluster: Ray Tune runs the trials, Optuna proposes and prunes them, one file keeps them."""

import logging
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import optuna

from sed.errors import EarwitnessError, UsageError
from sed.raycluster import connected
from sed.train.distributed import refuse_several
from sed.train.finetune import check_model
from sed.train.fit import listed
from sed.train.members import refuse_members
from sed.train.settings import TrainSettings
from sed.train.tuning import Effort, finished, opened, space

log = logging.getLogger(__name__)

_ENVIRONMENT: Final = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the study is all that is kept
    "RAY_AIR_NEW_OUTPUT": "0",  # its tables go to stdout, whatever is said of being quiet
}


def tune_on(address: str, settings: TrainSettings, file: Path, effort: Effort, at_once: int | None) -> optuna.Study:
    """As `tune`, the trials on the Ray cluster at `address`, at most so many `at_once`; `local` is one of this machine.

    Every machine needs the data in the same folder, and mixes its scenes once. Raises EarwitnessError.
    """
    if address.startswith("ray://"):
        raise UsageError(f"--ray {address}: tune must run on a machine of the cluster; there, give auto or HOST:PORT")
    refuse_several("tune")
    refuse_members("tune", settings)
    check_model(settings)
    listed(settings)
    study = opened(file, settings)
    left = effort.trials - len(before := finished(study))
    if left <= 0:
        log.info("%s has %d finished trials; ask for more with --trials", file, len(before))
        return study
    study.sampler = optuna.samplers.TPESampler(seed=settings.seed + len(study.trials), constant_liar=True)
    os.environ.update(_ENVIRONMENT)
    with TemporaryDirectory(prefix="earwitness-") as folder, connected(address, at_once) as ray:
        from sed.train.raytrials import Trials  # now that Ray has its settings

        trials = Trials(study, space(settings), effort.minutes)
        failed = trials.run(_everywhere(settings), left, at_once, _gpus(settings, ray.cluster_resources()), folder)
    if failed and len(finished(study)) == len(before):
        raise EarwitnessError(f"tune: no trial went to its end; one said: {failed[0]}")
    for reason in failed:
        log.warning("a trial failed: %s", reason)
    return study


def _everywhere(settings: TrainSettings) -> TrainSettings:
    """The same settings, for processes that run in other folders."""
    model = settings.finetune
    named = str(Path(model).resolve()) if model and Path(model).is_file() else model
    cache = settings.cache and settings.cache.resolve()
    return settings.model_copy(update={"data": settings.data.resolve(), "cache": cache, "finetune": named})


def _gpus(settings: TrainSettings, resources: dict[str, Any]) -> int:
    """How many a trial takes."""
    there = settings.device != "cpu" and bool(resources.get("GPU"))
    if settings.device == "cuda" and not there:
        raise UsageError("device cuda: the cluster has no GPU; choose cpu or auto")
    return int(there)
