"""Training: `train(settings)` learns from mixed scenes and writes the model file."""

import ctypes
import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from sed.train.abreast import abreast
from sed.train.batches import Grid, Item, Scenes, loader
from sed.train.clips import Clip, check_extra, check_labels, read_clips
from sed.train.device import device_of
from sed.train.distributed import ALONE, Ranks, refuse_several, together
from sed.train.finder import TRIALS, Found, find_rate
from sed.train.finetune import adopt, check_clips, check_model, taught, thaw, widened
from sed.train.learner import Learner
from sed.train.library import Library, cache_folder
from sed.train.material import Material
from sed.train.members import apart, forget, joined, lessons, refuse_members
from sed.train.monitor import Checked, Monitor, progressed, records
from sed.train.progress import progress
from sed.train.recipe import TRAINING
from sed.train.records import check_folder
from sed.train.release import release
from sed.train.run import Run, averaged, begin, checkpoint_path, normalise, restore, save, start, state, take
from sed.train.scenes import Mixer
from sed.train.schedule import SCHEDULES
from sed.train.settings import TrainSettings
from sed.train.stock import Stock, stock

log = logging.getLogger(__name__)


def train(settings: TrainSettings) -> Path:
    """Train, choose the rules on the valid split, measure on test, write `settings.out`; returns it.

    Progress goes to stderr and to the log. Raises EarwitnessError. The checkpoint stays in the cache, so that
    `resume=True` goes on after an interruption. What is wrong with the settings is told before any work is done.
    """
    prepare(settings)
    if settings.jobs > 1:
        refuse_several("jobs", "give --jobs 1, or start it without torchrun")
    with together(settings) as ranks:
        own = settings if ranks.first else follower(settings)
        if own.log_dir and not own.resume:
            check_folder(own.log_dir)
        material = gather(own)
        if ranks.first and not own.resume:
            forget(own)
        if own.jobs > 1 and own.members:
            abreast(apart(own), own.jobs, course)
            own = own.model_copy(update={"resume": True})  # each member's checkpoints are whole
        courses = [[_lesson(one, material, ranks) for one in lessons(member)] for member in apart(own)]
        if ranks.first:
            learnt = joined(courses, len(settings.scored))
            release(settings, material, learnt.network, learnt.steps, learnt.seconds)
        ranks.wait()
    return settings.out


def course(member: TrainSettings) -> None:
    """Learn all lessons of one member in this process, and leave their checkpoints; raises EarwitnessError."""
    prepare(member)
    material = gather(member)
    for one in lessons(member):
        _lesson(one, material, ALONE)


def _lesson(settings: TrainSettings, material: Material, ranks: Ranks) -> Run:
    """One run, unless it is over already: then its scenes need not be mixed again."""
    alone = ranks.count == 1 and settings.finetune is None  # fine-tuning has an optimiser of its own to restore
    if settings.resume and alone and (run := _finished(settings)):
        return run
    return fit(settings if ranks.first else follower(settings), material, ranks=ranks)


def _finished(settings: TrainSettings) -> Run | None:
    run = start(settings)
    restore(run, settings)
    if progressed(run, settings).done < 1.0 and not run.stopping.over:
        return None
    log.info("%s: learnt already, step %d", checkpoint_path(settings), run.step)
    run.stopping.give(averaged(run))
    return run


def follower(settings: TrainSettings) -> TrainSettings:
    """The settings of a process that is not the first one: it writes no log, and is told with what weights to begin."""
    return settings.model_copy(update={"log_dir": None, "resume": False, "begin": None})


def find(settings: TrainSettings) -> Found:
    """Look for a learning rate on the scenes that `train` would learn from; leaves nothing behind but those."""
    refuse_several("--find-rate")
    refuse_members("--find-rate", settings)
    prepare(settings)
    run, _, scenes = _begun(settings, gather(settings))
    learner, batches = Learner(run, settings), _batches(run, settings, scenes)
    trials = max(10, min(TRIALS, settings.steps))
    with progress("trying", trials, run.step) as show:

        def step(rate: float) -> float:
            loss = learner.step(next(batches), rate)
            show(run.step, f"loss {loss:.4f}")
            return loss

        return find_rate(step, trials)


def prepare(settings: TrainSettings) -> None:
    """Set torch's threads, and let freed memory be reused instead of given back at every step (0.3 s of 1 s).

    Raises UsageError, before any work is done, for a device that is not there.
    """
    device_of(settings.device, settings.bfloat16)
    check_model(settings)
    torch.set_num_threads(settings.threads)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):  # glibc
            libc.mallopt(-3, 2**31 - 1)  # M_MMAP_THRESHOLD
            libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


def listed(settings: TrainSettings) -> list[Clip]:
    """Read the catalogue; raises AudioError and UsageError unless it has clips of everything that is to be learnt."""
    clips = read_clips(settings.data)
    if settings.finetune:
        check_clips(settings, clips)
    check_labels(clips, taught(settings, clips))
    check_extra(clips, (*settings.extra, *settings.auxiliary))
    return clips


def gather(settings: TrainSettings) -> Material:
    """Read the catalogue and decode the audio, once; raises AudioError."""
    clips = listed(settings)
    cache = settings.cache or cache_folder()
    return Material(clips, Library(settings.data, clips, settings.frontend.sample_rate, cache))


def fit(settings: TrainSettings, material: Material, checked: Checked | None = None, ranks: Ranks = ALONE) -> Run:
    """Learn until the steps or the minutes are used up, or until patience is; then the mean holds the best weights.

    `checked` is told the step and the loss of every check on valid; such a run keeps no checkpoint. Of several `ranks`
    the first one alone checks, and its run alone has the mean.
    """
    run, grid, scenes = _begun(settings, material)
    if settings.resume:
        restore(run, settings)
        log.info("going on from step %d of %s", run.step, checkpoint_path(settings))
    if not ranks.first:
        take(run, ranks.same({}))
        _learn_all(run, settings, _batches(run, settings, scenes), [], None, ranks)
        return run
    checks = _checks(settings, material, grid)
    ranks.same(state(run))
    _learn_all(run, settings, _batches(run, settings, scenes), checks, checked, ranks)
    if checked is None:
        save(run, settings)
    run.stopping.give(averaged(run))
    return run


def _begun(settings: TrainSettings, material: Material) -> tuple[Run, Grid, Stock]:
    """A fresh run, and the scenes that it learns from."""
    run = start(settings, widened(settings) if settings.finetune else None)
    grid = Grid(settings.frontend, settings.learnt, run.network.stride, settings.look_ahead, settings.seconds)
    with torch.random.fork_rng(devices=[]):  # mixing draws on it; what is learnt shall not depend on the cache
        scenes = mixed(settings, material, grid)
    first = scenes.batch(torch.arange(min(len(scenes), 128, 8 * settings.batch)))
    if settings.finetune:
        adopt(run, settings, material.clips)
    else:
        normalise(run, first[0].flatten(0, 1))
    if settings.begin:
        begin(run, settings)
    return run, grid, scenes


def mixed(settings: TrainSettings, material: Material, grid: Grid) -> Stock:
    """The scenes that a run of these settings learns from."""
    recipe = settings.making
    labels = taught(settings, material.clips)
    mixer = Mixer(material.library, material.clips, "train", labels, recipe, settings.extra, settings.auxiliary)
    source = Scenes(mixer, grid, settings.seed, 0, settings.scenes)
    classes = f"{labels} {settings.extra} {settings.auxiliary}"
    described = f"{material.library.name} {recipe} {classes} {settings.seed} {settings.scenes}"
    return stock(source, grid, described, settings.cache or cache_folder(), settings.workers)


def _batches(run: Run, settings: TrainSettings, scenes: Stock) -> Iterator[Item]:
    """The batches still to be learnt from: all scenes in a new order, again and again."""
    step = run.step
    an_epoch = max(1, len(scenes) // settings.batch)
    while True:
        epoch, at = divmod(step, an_epoch)
        order = torch.randperm(len(scenes), generator=torch.Generator().manual_seed(settings.seed * 10_007 + epoch))
        yield scenes.batch(order[at * settings.batch : (at + 1) * settings.batch])
        step += 1


def _checks(settings: TrainSettings, material: Material, grid: Grid) -> list[Item]:
    labels = taught(settings, material.clips)
    mixer = Mixer(material.library, material.clips, "valid", labels, TRAINING, settings.extra, settings.auxiliary)
    count = min(96, settings.valid_scenes)
    with torch.random.fork_rng(devices=[]):
        items = list(loader(Scenes(mixer, grid, 1, 0, count), count, 0))
    held = [place for place, label in enumerate(settings.labels) if label not in labels]
    for _, _, weight in items:
        weight[..., held] = 0.0  # nothing is known of them
    return items


def _learn_all(
    run: Run,
    settings: TrainSettings,
    batches: Iterator[Item],
    checks: list[Item],
    checked: Checked | None,
    ranks: Ranks,
) -> None:
    learner, schedule = Learner(run, settings, ranks), SCHEDULES[settings.schedule]
    began, before, rate = time.monotonic(), run.elapsed, 0.0
    seen = progress("training", settings.steps, run.step, ranks.first)
    with seen as show, records(run, settings) as kept:
        monitor = Monitor(run, settings, checks, show, kept, checked)
        for batch in batches:
            done, over = ranks.agreed(progressed(run, settings).done, run.stopping.over)
            if done >= 1.0 or over:
                break
            rate = settings.learning_rate * schedule(done)
            if settings.finetune:
                thaw(run.network, settings, done)
            learner.step(batch, rate)
            run.elapsed = before + time.monotonic() - began
            if ranks.first:
                monitor.after_step(rate)
        if ranks.first:
            monitor.finish(rate)
