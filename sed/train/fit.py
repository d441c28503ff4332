"""Training: `train(settings)` learns from mixed scenes and writes the model file."""

import ctypes
import logging
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from sed.train.batches import Grid, Item, Scenes, loader
from sed.train.clips import check_extra, check_labels, read_clips
from sed.train.library import Library, cache_folder
from sed.train.material import Material
from sed.train.network import Crnn
from sed.train.recipe import RECIPES, TRAINING
from sed.train.release import release
from sed.train.run import Run, averaged, begin, normalise, restore, save, start
from sed.train.scenes import Mixer
from sed.train.segments import segment_loss
from sed.train.settings import TrainSettings
from sed.train.spectral import SPECTRALS
from sed.train.stock import Stock, stock

log = logging.getLogger(__name__)

LOG_EVERY = 200  # steps
CHECK_EVERY = 1000  # steps: loss on scenes never learnt from, and a checkpoint


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far a run is."""

    done: float  # 0 to 1
    left: float  # seconds, as far as can be told


def train(settings: TrainSettings) -> Path:
    """Train, choose the rules on the valid split, measure on test, write `settings.out`; returns it.

    Progress goes to stderr and to the log. Raises EarwitnessError. The checkpoint stays in the cache, so that
    `resume=True` goes on after an interruption.
    """
    prepare(settings)
    material = gather(settings)
    run = fit(settings, material)
    return release(settings, material, averaged(run), run.step, run.elapsed)


def prepare(settings: TrainSettings) -> None:
    """Set torch's threads, and let freed memory be reused instead of given back at every step (0.3 s of 1 s)."""
    torch.set_num_threads(settings.threads)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):  # glibc
            libc.mallopt(-3, 2**31 - 1)  # M_MMAP_THRESHOLD
            libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


def gather(settings: TrainSettings) -> Material:
    """Read the catalogue and decode the audio, once; raises AudioError."""
    clips = read_clips(settings.data)
    check_labels(clips, settings.labels)
    check_extra(clips, settings.extra)
    cache = settings.cache or cache_folder()
    return Material(clips, Library(settings.data, clips, settings.frontend.sample_rate, cache))


def fit(settings: TrainSettings, material: Material) -> Run:
    """Learn until the steps or the minutes are used up."""
    run = start(settings)
    grid = Grid(settings.frontend, settings.scored, run.network.stride, settings.look_ahead, settings.seconds)
    scenes = mixed(settings, material, grid)
    first = scenes.batch(torch.arange(min(len(scenes), 128, 8 * settings.batch)))
    normalise(run, first[0].flatten(0, 1))
    if settings.begin:
        begin(run, settings)
    if settings.resume:
        restore(run, settings)
    _learn_all(run, settings, _batches(run, settings, scenes), _checks(settings, material, grid))
    save(run, settings)
    return run


def mixed(settings: TrainSettings, material: Material, grid: Grid) -> Stock:
    """The scenes that a run of these settings learns from."""
    recipe = RECIPES[settings.recipe]
    mixer = Mixer(material.library, material.clips, "train", settings.labels, recipe, settings.extra)
    source = Scenes(mixer, grid, settings.seed, 0, settings.scenes)
    described = f"{material.library.name} {recipe} {settings.labels} {settings.extra} {settings.seed} {settings.scenes}"
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
    mixer = Mixer(material.library, material.clips, "valid", settings.labels, TRAINING, settings.extra)
    count = min(96, settings.valid_scenes)
    return list(loader(Scenes(mixer, grid, 1, 0, count), count, 0))


def _learn_all(run: Run, settings: TrainSettings, batches: Iterator[Item], checks: list[Item]) -> None:
    began, before = time.monotonic(), run.elapsed
    state: list[Tensor] | None = None
    with _bar(run.step, settings.steps) as bar:
        for batch in batches:
            if (progress := _progressed(run, settings)).done >= 1.0:
                break
            for group in run.optimiser.param_groups:
                group["lr"] = settings.learning_rate * one_cycle(progress.done)
            frames, target, weight = SPECTRALS[settings.spectral].vary(batch, settings.look_ahead, run.chance)
            state = _learn(run, settings, (frames, target, weight), state)
            run.step, run.elapsed = run.step + 1, before + time.monotonic() - began
            bar.update(bar.task_ids[0], completed=run.step, loss=f"{run.losses[-1]:.4f}")
            _tell(run, settings, progress, checks)


def _learn(run: Run, settings: TrainSettings, batch: Item, state: list[Tensor] | None) -> list[Tensor]:
    """One step; returns the network's state, from which half of the next scenes go on, as a stream does."""
    frames, target, weight = batch
    run.network.train()
    with torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16):
        logits, *state = run.network(frames, *_begun(run, len(frames), state))
    loss = _loss(settings, logits, target, weight * importance(settings))
    run.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(run.network.parameters(), 1.0)
    run.optimiser.step()
    run.mean.update_parameters(run.network)
    run.losses.append(float(loss.detach()))
    return [part.detach().float() for part in state]


def _loss(settings: TrainSettings, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    loss = weighted_loss(logits, target, weight)
    return loss + settings.segments * segment_loss(logits, target, weight) if settings.segments else loss


def importance(settings: TrainSettings) -> Tensor:
    """How much each label counts in the loss, (labels,)."""
    return torch.tensor([1.0] * len(settings.labels) + [settings.extra_weight] * len(settings.extra))


def _begun(run: Run, scenes: int, before: list[Tensor] | None) -> list[Tensor]:
    """The state in which each scene begins: nothing heard yet, or, for half of them, the scene before."""
    fresh = run.network.initial(scenes)
    if before is None:
        return fresh
    goes_on = torch.rand(scenes, generator=run.chance) < 0.5
    return [
        torch.where(goes_on.view(-1, *[1] * (new.dim() - 1)), old, new) for old, new in zip(before, fresh, strict=True)
    ]


def one_cycle(done: float) -> float:
    """The share of the learning rate when `done` of the training (0 to 1) is over: up for a tenth, then down."""
    if done < 0.1:
        return 0.04 + 0.96 * (1.0 - math.cos(math.pi * done / 0.1)) / 2.0
    return 0.002 + 0.998 * (1.0 + math.cos(math.pi * (min(done, 1.0) - 0.1) / 0.9)) / 2.0


def weighted_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean binary cross-entropy over all rows and labels, each counting by its weight."""
    each = nn.functional.binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
    return (each * weight).sum() / weight.sum().clamp(min=1.0)


def _progressed(run: Run, settings: TrainSettings) -> Progressed:
    """How far the run is: by its steps, or by its minutes if they run out sooner."""
    done = max(run.step / settings.steps, run.elapsed / (60.0 * (settings.minutes or math.inf)))
    return Progressed(done, run.elapsed * (1.0 - done) / max(done, 1e-9))


def _tell(run: Run, settings: TrainSettings, progress: Progressed, checks: list[Item]) -> None:
    if run.step % LOG_EVERY == 0:
        recent = sum(run.losses[-LOG_EVERY:]) / LOG_EVERY
        log.info("step %d of %d, loss %.4f, %.1f min left", run.step, settings.steps, recent, progress.left / 60.0)
    if run.step % CHECK_EVERY == 0:
        log.info("step %d, loss on valid scenes %.4f", run.step, check(averaged(run), checks, len(settings.labels)))
        save(run, settings)


def check(network: Crnn, items: list[Item], labels: int) -> float:
    """The mean loss of the first `labels` on scenes that are not learnt from."""
    found: list[float] = []
    with torch.no_grad():
        for frames, target, weight in items:
            logits = network(frames, *network.initial(len(frames)))[0]
            found.append(float(weighted_loss(*(part[..., :labels] for part in (logits, target, weight)))))
    return sum(found) / max(1, len(found))


def _bar(step: int, steps: int) -> Progress:
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]}"))
    bar = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True))
    bar.add_task("training", total=steps, completed=step, loss="")
    return bar
