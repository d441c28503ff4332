"""`earwitness evaluate`: how right a model is, on scenes with known events and on ordinary sound."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sed.config import Config, merged_rules
from sed.errors import SinkError, UsageError
from sed.evaluate.comparison import System
from sed.evaluate.confusion import worst
from sed.evaluate.document import document, table
from sed.evaluate.evaluation import Step, evaluate
from sed.evaluate.libraries import library
from sed.evaluate.mistakepage import write_mistakes
from sed.evaluate.mistakes import mistakes
from sed.evaluate.report import write_report
from sed.evaluate.scenelist import Origin, Scene, read_scenes
from sed.evaluate.summary import draw_summary
from sed.evaluate.tune import Budget, Tuned, rewritten, scored, tune
from sed.model import OnnxModel
from sed.shipped import model_path
from sed.train.clips import PLAIN, read_clips

PIPE_WIDTH = 160
LIBRARIES = ("sed_eval", "sed_scores_eval", "sklearn.metrics", "matplotlib.figure")


@dataclass(frozen=True, slots=True)
class Tuning:
    """How rules are chosen, and where the model that carries them goes."""

    budget: Budget
    out: Path | None  # None is the model's own file


@dataclass(frozen=True, slots=True)
class Wanted:
    """The files to write what was found into."""

    document: Path | None = None
    report: Path | None = None  # a folder
    worst: Path | None = None  # a folder
    each: int = 8  # pictures a label and kind of mistake, in that folder
    picture: Path | None = None


def budget(per_hour: float, by_kind: Sequence[str]) -> Budget:
    """The budget that the options ask for; raises UsageError unless each of `by_kind` reads KIND=NUMBER."""
    apart: dict[str, float] = {}
    for text in by_kind:
        kind, _, number = text.partition("=")
        try:
            apart[kind] = float(number)
        except ValueError:
            raise UsageError(f"--budget-on {text}: need KIND=NUMBER, such as explosion=45") from None
    return Budget(per_hour, apart)


def side(split: str | None, *, tuning: bool) -> str:
    """The side of --data to listen to; raises UsageError if rules would be chosen on the sounds of test."""
    if tuning and split == "test":
        raise UsageError(
            "evaluate --rules tune: --split test is there to measure on, and rules chosen on it would flatter every"
            " figure; say --split valid, or leave --split out"
        )
    return split or ("valid" if tuning else "test")


def run(
    config: Config,
    scenes: Path | None,
    data: Path | None,
    *,
    split: str,
    wanted: Wanted,
    seed: int,
    tuning: Tuning | None = None,
) -> None:
    """Choose rules if that is asked for, measure and print; raises EarwitnessError."""
    if scenes is None and data is None:
        raise UsageError("evaluate: need --scenes DIR, --data DATA, or both")
    if tuning and scenes is None:
        raise UsageError("evaluate --rules tune: needs --scenes DIR, to choose the rules on")
    check_picture("--picture", wanted.picture)
    mixed = read_scenes(scenes) if scenes else []
    plain = ordinary(data, split) if data else []
    model = OnnxModel(model_path(config.model))
    if tuning:
        check_kinds(tuning.budget, [*mixed, *plain])
    for name in (*LIBRARIES, *(("onnx",) if tuning else ())):
        library(name)  # before an hour of listening
    if tuning:
        model = _tuned(model, [*mixed, *plain], tuning)
    rules = merged_rules(config, model.metadata)
    with progress(2 * len(mixed) + len(plain)) as step:
        findings = evaluate(model, rules, mixed, plain, seed=seed, step=step)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    console.print(table(findings, model.metadata))
    for there, told, times in worst(findings.confusion):
        console.print(f"  {there} -> {told}: {times}", markup=False)
    source = {"sha256": hashlib.sha256(model.path.read_bytes()).hexdigest(), "scenes_from": str(scenes or "")}
    if wanted.document is not None:
        write_text(wanted.document, json.dumps(document(findings, model.metadata, source), indent=2) + "\n")
    if wanted.report is not None:
        write_report(wanted.report, findings, model.metadata)
    if wanted.worst is not None:
        made = mistakes(findings.labels, findings.heard)
        write_mistakes(wanted.worst, made, rules, model.metadata, wanted.each)
    if wanted.picture is not None:
        draw("--picture", wanted.picture, draw_summary, [System(model.metadata, findings)])


def _tuned(model: OnnxModel, recordings: Sequence[Scene], tuning: Tuning) -> OnnxModel:
    """The model with the rules that these recordings ask for, written to its file."""
    with progress(len(recordings)) as step:
        found = tune(model.metadata, scored(model, recordings, step), tuning.budget)
    rules = model.metadata.rules | {label: one.rule for label, one in found.items()}
    chosen = {
        label: {"f1": round(one.counts.f1, 3), "alarms_per_hour": round(one.alarms_per_hour, 2), **_apart(one)}
        for label, one in found.items()
    }
    training = {
        **model.metadata.training,
        "rules": {
            "budget_per_hour": tuning.budget.per_hour,
            **({"budget_on": dict(tuning.budget.by_kind)} if tuning.budget.by_kind else {}),
            "reached": chosen,
        },
    }
    path = tuning.out or model.path
    rewritten(model.path, model.metadata.model_copy(update={"rules": rules, "training": training}), path)
    console = Console(highlight=False, soft_wrap=True)
    for label, one in found.items():
        rule = ", ".join(f"{name} {getattr(one.rule, name):g}" for name in ("on", "off", "min_duration", "max_rise"))
        apart = "".join(f", {rate:.2f} on {kind}" for kind, rate in one.apart.items())
        reached = f"F1 {one.counts.f1:.3f}, {one.alarms_per_hour:.2f} false alarms/h{apart}"
        fits = tuning.budget.holds(one) and one.counts.found
        missed = "" if fits else "; no rule that keeps within the budget finds anything"
        console.print(f"{label}: {rule}; {reached} on what it was chosen on{missed}", markup=False)
    console.print(f"{path}: written; measure it on other scenes than these", markup=False)
    return OnnxModel(path)


def _apart(tuned: Tuned) -> dict[str, object]:
    return {"alarms_per_hour_on": {kind: round(rate, 2) for kind, rate in tuned.apart.items()}} if tuned.apart else {}


def ordinary(data: Path, split: str) -> list[Scene]:
    """Whole files of ordinary sound, less those in which a target is heard all the same."""
    clips = [c for c in read_clips(data) if c.split == split and c.label in PLAIN and not c.suspect]
    if not clips:
        raise UsageError(f"--data {data}: no {', '.join(PLAIN)} in split '{split}' to count false alarms on")
    return [Scene(c.path, data / c.path, c.label, bed=Origin(c.path, c.dataset)) for c in clips]


def check_kinds(budget: Budget, recordings: Iterable[Scene]) -> None:
    """Raise UsageError if a kind has a budget of its own and no recording is of it."""
    there = {recording.kind for recording in recordings}
    if unknown := sorted({*budget.by_kind} - there):
        kinds = ", ".join(sorted(there))
        raise UsageError(f"--budget-on {unknown[0]}: no recording is of this kind; there are {kinds}")


def check_picture(option: str, path: Path | None) -> None:
    """Raise UsageError, before an hour of listening, unless its name ends as a picture's does."""
    if path is not None and path.suffix.lower() not in {".png", ".svg", ".pdf"}:
        raise UsageError(f"{option} {path}: need a name that ends in .png, .svg or .pdf")


def draw(option: str, path: Path, how: Callable[[Path, Sequence[System]], None], systems: Sequence[System]) -> None:
    """Draw systems into a picture and make the folders above it; raises SinkError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        how(path, systems)
    except OSError as error:
        raise SinkError(f"{option} {path}: cannot be written ({error.strerror})") from error


def write_text(path: Path, text: str) -> None:
    """Write a file and the folders above it; raises SinkError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror})") from error


@contextmanager
def progress(total: int) -> Iterator[Step]:
    """A bar on stderr if that is a terminal; gives the step to take after each recording."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("listening, then counting", total=total)
        yield lambda: bar.advance(task)
