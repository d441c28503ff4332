"""`earwitness baselines`: a model beside simple classifiers and YAMNet, on whole clips of the same data."""

import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from sed.commands.evaluate import PIPE_WIDTH, progress, write_text
from sed.config import Config, merged_rules
from sed.errors import UsageError
from sed.evaluate.byfile import Side, by_model, by_yamnet
from sed.evaluate.cliplevel import Verdict, clip_document, clip_table, decide, judge
from sed.evaluate.libraries import library
from sed.evaluate.peer import check_labels
from sed.evaluate.yamnet import Yamnet
from sed.metadata import alerting
from sed.model import OnnxModel
from sed.shipped import model_path
from sed.train.clips import check_labels as check_clips
from sed.train.clips import read_clips
from sed.train.duplicates import without_duplicates
from sed.train.library import Library, cache_folder

if TYPE_CHECKING:
    from sed.train.clipset import Examples

RATE = 16_000


def run(
    config: Config,
    data: Path,
    yamnet: Path | None,
    *,
    others: int,
    json_file: Path | None,
    seed: int,
    cache: Path | None,
) -> None:
    """Train the classifiers, judge what each system tells of the test clips, and print; raises EarwitnessError."""
    library("sklearn.metrics")
    model = OnnxModel(model_path(config.model))
    rules = merged_rules(config, model.metadata)
    labels = alerting(rules)
    if yamnet:
        check_labels(labels)
    peer = Yamnet(yamnet) if yamnet else None
    learnt, valid, test, sounds = _examples(data, labels, others, seed, cache)
    sides = _side(valid, sounds, labels), _side(test, sounds, labels)
    heard = len(valid.clips) + len(test.clips)
    with progress(heard * (2 if peer else 1)) as step:
        verdicts = _trained(learnt, valid, test, labels, seed)
        if peer:
            verdicts.append(by_yamnet(peer, labels, *sides, step=step))
        verdicts += by_model(model, rules, labels, *sides, step=step)
    truth = sides[1].truth
    judged = [judge(verdict, truth, labels) for verdict in verdicts]
    Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH).print(clip_table(judged, labels, truth))
    if json_file is not None:
        source = {"data": str(data), "learnt_from": len(learnt.clips), "seed": seed, "clips": len(test.clips)}
        write_text(json_file, json.dumps(clip_document(judged, labels, source), indent=2) + "\n")


def _examples(
    data: Path, labels: Sequence[str], others: int, seed: int, cache: Path | None
) -> "tuple[Examples, Examples, Examples, Library]":
    """The clips of train, valid and test, near-identical ones on two sides left out, and where their samples are."""
    try:
        from sed.train.clipset import gather
    except ModuleNotFoundError as error:
        raise UsageError(f"baselines: needs {error.name}; pip install 'earwitness[train]'") from error
    clips = read_clips(data)
    check_clips(clips, labels)
    sounds = Library(data, clips, RATE, cache or cache_folder())
    clips = without_duplicates(clips, labels, sounds)
    learnt = gather(sounds, clips, "train", labels, others, seed)
    return (
        learnt,
        gather(sounds, clips, "valid", labels, None, seed),
        gather(sounds, clips, "test", labels, None, seed),
        sounds,
    )


def _trained(
    learnt: "Examples", valid: "Examples", test: "Examples", labels: Sequence[str], seed: int
) -> list[Verdict]:
    try:
        from sed.train.baselines import BASELINES, train
    except ModuleNotFoundError as error:
        raise UsageError(f"baselines: needs {error.name}; pip install 'earwitness[train]'") from error
    verdicts: list[Verdict] = []
    for baseline in BASELINES:
        score = train(baseline, learnt, len(labels), seed)
        verdicts.append(decide(baseline.name, score(valid), valid.truth(len(labels)), score(test), labels))
    return verdicts


def _side(examples: "Examples", sounds: Library, labels: Sequence[str]) -> Side:
    return Side([partial(sounds.samples, clip) for clip in examples.clips], examples.truth(len(labels)))
