"""From a trained network to the model that ships: rules from the valid split, figures from test, the file."""

import logging
import math
import platform
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sed.evaluate.hearing import hear
from sed.evaluate.measure import hits, measure
from sed.evaluate.reference import Recording
from sed.evaluate.tune import Budget, Scored, tune
from sed.metadata import Metadata, Rule
from sed.model import OnnxModel
from sed.signals import Scores
from sed.train.clips import Clip, targets
from sed.train.device import device_of
from sed.train.duplicates import without_duplicates
from sed.train.exam import examination, mixtures, plain, whole
from sed.train.export import export
from sed.train.finetune import kept_rules
from sed.train.material import Material
from sed.train.network import Network
from sed.train.settings import TrainSettings

log = logging.getLogger(__name__)

FIRST = {"siren": Rule(max_gap=2.0), "gun_shot": Rule(max_gap=0.32), "glass_break": Rule(max_gap=0.52)}
"""What a label's rule has that is not searched for."""
FEW = 5
"""Clips of valid that an extra label needs: a rule chosen on fewer would suit those alone."""
_OPTIONS = ("steps", "minutes", "seed")
_ELSEWHERE = {"data", "out", "config", "labels", "extra", "frontend", "name", "version", "licence"}
_OF_THE_MACHINE = {"cache", "resume", "threads", "jobs", "workers", "device", "log_dir"}


def release(settings: TrainSettings, material: Material, network: Network, step: int, elapsed: float) -> Path:
    """Choose the rules on valid, measure on test, write `settings.out`; raises EarwitnessError."""
    clips = without_duplicates(material.clips, settings.labels, material.library)
    log.info("left out of valid and test: %d near-duplicates", len(material.clips) - len(clips))
    training = summary(settings, network, step, elapsed)
    with TemporaryDirectory() as folder:
        draft = Path(folder) / settings.out.name
        export(network, described(settings, network, {}, training, {}), draft)
        rules, on_valid = calibrated(settings, material, clips, OnnxModel(draft))
        rules |= kept_rules(settings, material.clips)
        export(network, described(settings, network, rules, training, {}), draft)
        on_test = tested(settings, material, clips, OnnxModel(draft))
    export(network, described(settings, network, rules, training, {"valid": on_valid, "test": on_test}), settings.out)
    log.info("%s: written; macro onset F1 on test %s", settings.out, on_test["scenes"]["macro_f1"])
    return settings.out


def calibrated(
    settings: TrainSettings, material: Material, clips: list[Clip], model: OnnxModel
) -> tuple[dict[str, Rule], dict[str, object]]:
    """The rule of each label, and what it reaches on the scenes of the valid split it was chosen on."""
    meta = model.metadata
    known = [_scored(model, r) for r in examination(settings, material, clips, "valid")]
    quiet = [_scored(model, r) for r in plain(material, clips, "valid")]
    own = [replace(s, events=tuple(e for e in s.events if e.label in settings.labels)) for s in (*known, *quiet)]
    found = tune(meta, own, Budget(settings.budget, settings.budget_on), settings.labels)
    if enough := _enough(
        settings, clips
    ):  # what is told of them in the plain files, with their music and dogs, is no false alarm
        mixed = [_scored(model, r) for r in mixtures(settings, material, clips, "valid")]
        found |= tune(meta, mixed, Budget(math.inf), enough)
    rules = {label: tuned.rule for label, tuned in found.items() if tuned.counts.found}
    reached: dict[str, object] = {}
    for label, tuned in found.items():
        reached[label] = {"f1": round(tuned.counts.f1, 3), "alarms_per_hour": round(tuned.alarms_per_hour, 2)}
        log.info("%s: %s, F1 %.3f, %.1f alarms/h", label, tuned.rule, tuned.counts.f1, tuned.alarms_per_hour)
    return rules, reached


def tested(
    settings: TrainSettings, material: Material, clips: list[Clip], model: OnnxModel
) -> dict[str, dict[str, object]]:
    """The figures on the test split with the rules in `model`, through `detect`."""
    rules = model.metadata.rules
    known = measure(model, rules, examination(settings, material, clips, "test"))
    quiet = measure(model, rules, plain(material, clips, "test"))
    files = [(c.label, whole(material, c)) for c in clips if c.split == "test" and c.label in settings.labels]
    found = hits(model, rules, files)
    return {
        "scenes": known.of(settings.labels).summary(),
        **({"extra": _extra(settings, material, clips, model)} if settings.extra else {}),
        "hits": {
            kind: {"files": row.files, **{n: round(row.rate(n), 3) for n in settings.labels}}
            for kind, row in found.items()
        },
        "false_alarms_per_hour": {
            "hours": round(quiet.seconds / 3600.0, 2),
            **{label: round(quiet.false_per_hour(label), 2) for label in settings.labels},
        },
    }


def described(
    settings: TrainSettings,
    network: Network,
    rules: Mapping[str, Rule],
    training: dict[str, object],
    scores: Mapping[str, object],
) -> Metadata:
    """The document that goes into the file."""
    return Metadata(
        name=settings.name,
        version=settings.version,
        labels=settings.scored,
        frontend=settings.frontend,
        stride=network.stride,
        look_ahead=settings.look_ahead,
        rules={label: _rule(settings, label, rules.get(label)) for label in settings.scored},
        licence=settings.licence,
        training=training,
        scores=dict(scores),
    )


def summary(settings: TrainSettings, network: Network, step: int, elapsed: float) -> dict[str, object]:
    """How the network came about."""
    given = settings.model_dump(mode="json", exclude=_ELSEWHERE | _OF_THE_MACHINE, exclude_defaults=True)
    options = "".join(f" --{name} {given[name]:g}" for name in _OPTIONS if name in given)
    config = f" --config {settings.config}" if settings.config else ""
    others = {name: value for name, value in given.items() if name not in _OPTIONS}
    return {
        "command": f"earwitness train{config} --data {settings.data} --out {settings.out}{options}",
        **({"settings": others} if others else {}),
        "split": "train",
        "steps": step,
        "scenes_per_step": settings.batch,
        "scene_seconds": settings.seconds,
        "minutes": round(elapsed / 60.0, 1),
        "machine": f"{platform.machine()}, {settings.threads} thread{_gpu(settings)}",
        "network": network.kind,
        "parameters": sum(part.numel() for part in network.parameters()),
    }


def _enough(settings: TrainSettings, clips: list[Clip]) -> list[str]:
    """The extra labels that a rule can be chosen for; tells of the others."""
    held = {label: len(targets(clips, label, "valid")) for label in settings.extra}
    for label, count in held.items():
        if count < FEW:
            log.info("%s: %d clips of valid, too few to choose a rule on; it keeps the first one", label, count)
    return [label for label, count in held.items() if count >= FEW]


def _gpu(settings: TrainSettings) -> str:
    device = device_of(settings.device, settings.bfloat16)
    return f", {device}" if device.place.type == "cuda" else ""


def _rule(settings: TrainSettings, label: str, chosen: Rule | None) -> Rule:
    return (chosen or FIRST.get(label, Rule())).model_copy(update={"alert": label in settings.labels})


def _scored(model: OnnxModel, recording: Recording) -> Scored:
    meta = model.metadata
    heard = hear(model, meta.rules, recording.read())
    return Scored(Scores(0, meta.hop, heard.scores, meta.ahead), recording.events, heard.seconds, recording.kind)


def _extra(settings: TrainSettings, material: Material, clips: list[Clip], model: OnnxModel) -> dict[str, object]:
    """The labels that raise no alert, as if they did."""
    rules = {label: rule.model_copy(update={"alert": True}) for label, rule in model.metadata.rules.items()}
    return measure(model, rules, mixtures(settings, material, clips, "test")).of(settings.extra).summary()
