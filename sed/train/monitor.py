"""What is seen of a run while it learns: the bar, the log, the records, the checks on valid scenes, the checkpoints."""

import logging
import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

from sed.train.batches import Item
from sed.train.learner import check
from sed.train.progress import Show
from sed.train.records import Record, Records
from sed.train.run import Run, averaged, save
from sed.train.settings import TrainSettings

log = logging.getLogger(__name__)

LOG_EVERY: Final = 200  # steps

Checked = Callable[[int, float], None]
"""What is told of a check: the step and the loss on valid; what it raises ends the run."""


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far a run is."""

    done: float  # 0 to 1
    left: float  # seconds, as far as can be told


def progressed(run: Run, settings: TrainSettings) -> Progressed:
    """How far the run is: by its steps, or by its minutes if they run out sooner."""
    done = max(run.step / settings.steps, run.elapsed / (60.0 * (settings.minutes or math.inf)))
    return Progressed(done, run.elapsed * (1.0 - done) / max(done, 1e-9))


class Monitor:
    """Watches a run, step by step; every `check_every` steps it is checked and its checkpoint written.

    A run whose checks are told to someone else, `checked`, is a trial: it leaves no checkpoint.
    """

    def __init__(
        self,
        run: Run,
        settings: TrainSettings,
        checks: list[Item],
        show: Show,
        records: Records | None,
        checked: Checked | None = None,
    ) -> None:
        self._on_check = checked
        self._run, self._settings, self._checks, self._show, self._records = run, settings, checks, show, records
        self._told, self._checked = len(run.losses), run.step

    def after_step(self, rate: float) -> None:
        """Show the step; log, record, check and save where it is time to."""
        run = self._run
        self._show(run.step, f"loss {run.losses[-1]:.4f}")
        due = run.step % self._settings.check_every == 0
        if due or run.step % LOG_EVERY == 0:
            self._tell(rate, due)
        if due and self._on_check is None:
            save(run, self._settings)

    def finish(self, rate: float) -> None:
        """Tell the end and check it, if there was a step since the last check."""
        if self._run.step > self._checked:
            self._tell(rate, due=True)

    def _tell(self, rate: float, due: bool) -> None:
        run, left = self._run, progressed(self._run, self._settings).left
        recent = run.losses[self._told :] or run.losses[-1:]
        self._told, loss = len(run.losses), sum(recent) / max(1, len(recent))
        log.info("step %d of %d, loss %.4f, %.1f min left", run.step, self._settings.steps, loss, left / 60.0)
        valid = self._check() if due else None
        if self._records:
            self._records.write(Record(run.step, run.elapsed / 60.0, loss, rate, valid))

    def _check(self) -> float:
        run, self._checked = self._run, self._run.step
        network = averaged(run)
        loss = check(network, run.device, self._checks, len(self._settings.labels))
        log.info("step %d, loss on valid scenes %.4f", run.step, loss)
        run.stopping.check(loss, run.step, network)
        if self._on_check:
            self._on_check(run.step, loss)
        if run.stopping.over:
            log.info("stopping early: the best loss, %.4f, was at step %d", run.stopping.loss, run.stopping.step)
        return loss


def records(run: Run, settings: TrainSettings) -> AbstractContextManager[Records | None]:
    """The records asked for, if any; a run that goes on goes on with its own. Raises UsageError and SinkError."""
    if settings.log_dir is None:
        return nullcontext()
    return Records(settings.log_dir, run.step if settings.resume else None)
