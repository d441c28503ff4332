"""`earwitness compare`: a model beside YAMNet on the same scenes and the same ordinary sound."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from sed.commands.evaluate import (
    LIBRARIES,
    PIPE_WIDTH,
    check_kinds,
    check_picture,
    draw,
    ordinary,
    progress,
    write_text,
)
from sed.config import Config, merged_rules
from sed.errors import UsageError
from sed.evaluate.comparison import System, as_document, draw_comparison, side_by_side
from sed.evaluate.evaluation import evaluate, measured
from sed.evaluate.libraries import library
from sed.evaluate.listener import held_by
from sed.evaluate.peer import check_labels, described, fit_yamnet, listener, recorded
from sed.evaluate.scenelist import Scene, read_scenes
from sed.evaluate.summary import draw_summary
from sed.evaluate.tune import Budget
from sed.evaluate.yamnet import Yamnet
from sed.model import OnnxModel
from sed.shipped import model_path


@dataclass(frozen=True, slots=True)
class Peer:
    """YAMNet, and the scenes on which it is fitted."""

    file: Path
    valid: Path
    budget: Budget


def run(
    config: Config,
    scenes: Path,
    peer: Peer,
    data: Path | None,
    *,
    json_file: Path | None,
    plot: Path | None,
    picture: Path | None,
    seed: int,
) -> None:
    """Fit YAMNet on the valid scenes, measure both on the others and print; raises EarwitnessError."""
    for option, path in (("--plot", plot), ("--picture", picture)):
        check_picture(option, path)
    mixed, valid = read_scenes(scenes), read_scenes(peer.valid)
    plain, plain_valid = (ordinary(data, "test"), ordinary(data, "valid")) if data else ([], [])
    check_kinds(peer.budget, [*valid, *plain_valid])
    model = OnnxModel(model_path(config.model))
    labels = _labels(model.metadata.labels, mixed, valid)
    check_labels(labels)
    for name in LIBRARIES:
        library(name)  # before an hour of listening
    yamnet = Yamnet(peer.file)
    once = 2 * len(mixed) + len(plain)
    with progress(3 * once + len(valid) + len(plain_valid)) as step:
        rules = merged_rules(config, model.metadata)
        ours = evaluate(model, rules, mixed, plain, labels=labels, seed=seed, step=step)
        systems = [System(model.metadata.model_copy(update={"rules": rules}), ours)]
        heard = recorded(yamnet, [*valid, *plain_valid], step)
        for name, budget in (
            (f"YAMNet, at most {_limits(peer.budget)}", peer.budget),
            ("YAMNet, best F1", Budget(float("inf"))),
        ):
            fitted = fit_yamnet(yamnet, labels, heard, budget)
            found = measured(listener(yamnet, fitted), mixed, plain, seed=seed, step=step)
            systems.append(System(described(fitted, name, yamnet.sha256[:12]), found))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    console.print(side_by_side(systems))
    for system in systems[1:]:
        _tell(console, system)
    source = {"scenes_from": str(scenes), "fitted_on": str(peer.valid), "yamnet_sha256": yamnet.sha256}
    if json_file is not None:
        write_text(json_file, json.dumps(as_document(systems, source), indent=2) + "\n")
    for option, path, how in (("--plot", plot, draw_comparison), ("--picture", picture, draw_summary)):
        if path is not None:
            draw(option, path, how, systems)


def _labels(labels: Sequence[str], scenes: Sequence[Scene], valid: Sequence[Scene]) -> tuple[str, ...]:
    """The model's labels of which there are events to fit YAMNet on, and to measure on."""
    held = held_by(scenes) & held_by(valid)
    if not (found := tuple(label for label in labels if label in held)):
        raise UsageError(f"compare: the scenes to fit on and those to measure on share no event of {', '.join(labels)}")
    return found


def _limits(budget: Budget) -> str:
    """A budget as it is said in a name."""
    return f"{budget.per_hour:g}/h" + "".join(f", {most:g}/h on {kind}" for kind, most in budget.by_kind.items())


def _tell(console: Console, system: System) -> None:
    """How a peer was read."""
    for label, read in system.metadata.training.items():
        shortest = system.metadata.rules[label].min_duration
        apart = "".join(f", {rate:.2f} on {kind}" for kind, rate in read.get("valid_alarms_per_hour_on", {}).items())
        console.print(
            f"{system.name}: {label}: {', '.join(read['classes'])}; a window each {read['hop']:g} s, its sound said to"
            f" begin {read['shift']:g} s into it; on {read['on']:g}, off {read['off']:g}, min_duration {shortest:g};"
            f" F1 {read['valid_f1']:.3f}, {read['valid_alarms_per_hour']:.2f} false alarms/h{apart} on what it was"
            " chosen on",
            markup=False, soft_wrap=True,
        )  # fmt: skip
