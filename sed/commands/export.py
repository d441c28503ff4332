"""`earwitness export`: a model file from a training checkpoint, or in 8-bit integers from a float one."""

import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from sed.errors import UsageError
from sed.evaluate.document import words
from sed.evaluate.libraries import library
from sed.evaluate.scenelist import read_scenes
from sed.metadata import FrontendSettings, Metadata, Rule
from sed.model import OnnxModel
from sed.shipped import DEFAULT_MODEL, model_path

if TYPE_CHECKING:
    from sed.train.conversion import Comparison, Integers

PIPE_WIDTH = 160


@dataclass(frozen=True, slots=True)
class Likeness:
    """Where a checkpoint's labels, rules and frontend come from: it holds weights only."""

    model: str | None = None  # one it was trained like
    labels: tuple[str, ...] = ()  # or its labels, everything else being what training begins with


@dataclass(frozen=True, slots=True)
class Quantising:
    """How a model is quantised, and the scenes it is compared on."""

    data: Path | None
    scenes: Path | None
    method: str = "minmax"
    clips: int = 64
    seed: int = 0


def run(source: str, out: Path, name: str | None, likeness: Likeness, quantising: Quantising | None) -> None:
    """Write `out`, whole or not at all; raises EarwitnessError."""
    try:
        _run(source, out, name, likeness, quantising)
    except ModuleNotFoundError as error:
        raise UsageError(f"export: needs {error.name}; pip install 'earwitness[train]'") from error


def _run(source: str, out: Path, name: str | None, likeness: Likeness, quantising: Quantising | None) -> None:
    path = Path(source)
    if not (path.is_file() and zipfile.is_zipfile(path)):  # torch saves archives
        path = model_path(source)
        if quantising is None:
            raise UsageError(f"export {source}: a model file already; --int8 writes it in integers")
        if likeness != Likeness():
            raise UsageError(f"export {source}: a model file says what its labels are; leave out --like and --label")
        _quantise(path, out, name, quantising)
    elif quantising is None:
        _export(path, out, name or out.stem, likeness)
        _console().print(f"{out}: {out.stat().st_size:,} bytes", markup=False)
    else:
        with TemporaryDirectory() as folder:
            draft = Path(folder) / f"{path.stem}.onnx"
            _export(path, draft, (name or out.stem).removesuffix("-int8"), likeness)
            _quantise(draft, out, name, quantising)


def _export(source: Path, out: Path, name: str, likeness: Likeness) -> None:
    """The network of a checkpoint, checked against the network that torch runs."""
    like = _like(likeness)
    from sed.train.checkpoint import described_like, read_checkpoint
    from sed.train.export import TOLERANCE, export

    checkpoint = read_checkpoint(source)
    described = described_like(checkpoint, like, source, name)
    export(checkpoint.network, described, out)
    console = _console()
    parameters = f"{described.training['parameters']:,} parameters"
    console.print(f"{source}: step {checkpoint.step}, {parameters}, scores as torch's to {TOLERANCE:g}", markup=False)
    console.print("rules and frontend are assumed; choose rules with 'earwitness evaluate --rules tune'", markup=False)


def _like(likeness: Likeness) -> Metadata:
    if likeness.labels and likeness.model:
        raise UsageError("export: --label and --like both say what the labels are; give one of them")
    if not likeness.labels:
        return OnnxModel(model_path(likeness.model or DEFAULT_MODEL)).metadata
    from sed.train.settings import TrainSettings

    begun = TrainSettings(data=Path(), out=Path(), labels=likeness.labels)
    return Metadata(
        name="--label", version=begun.version, labels=begun.labels, frontend=FrontendSettings(),
        look_ahead=begun.look_ahead, rules={label: Rule() for label in begun.labels}, licence=begun.licence,
    )  # fmt: skip


def _quantise(source: Path, out: Path, name: str | None, quantising: Quantising) -> None:
    from sed.train.conversion import convert

    integers = _integers(quantising)
    scenes = read_scenes(quantising.scenes) if quantising.scenes else []
    if scenes:
        library("sed_eval")  # before an hour of listening
    model = OnnxModel(source)
    with _progress(len(scenes)) as step:
        found = convert(model, out, integers, scenes, name, step)
    console = _console()
    for line in _summary(found, out):
        console.print(line, markup=False)
    console.print(_costs(found, model))
    if found.right:
        console.print(_rightness(found))
    console.print(f"worth shipping: {'yes' if found.verdict.worth else 'no'}, because {found.verdict.because}")


def _integers(quantising: Quantising) -> "Integers":
    from sed.train.conversion import Integers
    from sed.train.quantise import METHODS, Method

    if quantising.data is None:
        raise UsageError("export --int8: needs --data DATA, sound to calibrate on")
    methods: dict[str, Method] = {method: method for method in METHODS}
    if quantising.method not in methods:
        raise UsageError(f"--calibration {quantising.method}: unknown; choose one of {', '.join(METHODS)}")
    return Integers(quantising.data, methods[quantising.method], quantising.clips, quantising.seed)


def _summary(found: "Comparison", out: Path) -> Iterator[str]:
    before, after = found.bytes
    yield f"{out}: {after:,} bytes, {before:,} in float ({after / before:.0%})"
    yield f"scores apart from float: at most {found.apart.most:.4f}, {found.apart.mean:.5f} in the mean"
    yield f"scores apart from its own in other chunks: at most {found.chunking:.1e}"


def _costs(found: "Comparison", model: OnnxModel) -> Table:
    table = Table(Column("µs of CPU a call", no_wrap=True), *_right("float", "int8", "ratio"), box=None)
    hop = 1000.0 * model.metadata.frontend.hop / model.metadata.frontend.sample_rate
    for cost in sorted(found.costs, key=lambda cost: cost.frames):
        row = (f"{1e6 * cost.first:.1f}", f"{1e6 * cost.second:.1f}", f"{cost.ratio:.2f}")
        table.add_row(f"{cost.frames} frames ({cost.frames * hop:g} ms)", *row)
    return table


def _rightness(found: "Comparison") -> Table:
    table = Table(Column("onset F1 (500 ms)", no_wrap=True), *_right("float", "int8", "change"), box=None)
    if found.right:
        for label in found.right.change:
            figures = (found.right.first[label], found.right.second[label], found.right.change[label])
            table.add_row(label, *(words(figure, 3) for figure in figures))
    return table


def _right(*names: str) -> Iterator[Column]:
    return (Column(name, justify="right", no_wrap=True) for name in names)


def _console() -> Console:
    return Console(soft_wrap=True, highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not (total and console.is_terminal)) as progress:
        task = progress.add_task("listening to both", total=total)
        yield lambda: progress.advance(task)
