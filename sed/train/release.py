"""From a trained network to the model that ships: rules from the valid split, figures from test, the file."""

import logging
import platform
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sed.evaluate.calibrate import Scored, Search, choose, scored
from sed.evaluate.measure import hits, measure
from sed.evaluate.reference import Recording, Sound
from sed.metadata import Metadata, Rule
from sed.model import OnnxModel
from sed.signals import Floats
from sed.train.clips import Clip
from sed.train.duplicates import without_duplicates
from sed.train.export import export
from sed.train.material import Material
from sed.train.network import Network
from sed.train.recipe import CHOOSING, MEASURING, Recipe, Split
from sed.train.scenes import Mixer
from sed.train.settings import TrainSettings

log = logging.getLogger(__name__)

PLAIN = ("background", "music", "speech")
"""Classes whose files hold no target: what is told in them is a false alarm."""

SEARCHES = {
    "siren": Search(min_durations=(0.2, 0.4, 0.8), max_gaps=(1.0, 2.0)),
    "gun_shot": Search(min_durations=(0.04, 0.08, 0.12), max_gaps=(0.32,)),
    "glass_break": Search(min_durations=(0.04, 0.08, 0.12, 0.2), max_gaps=(0.52,)),
}
VALID_SEED, TEST_SEED = 11, 12
_OPTIONS = ("steps", "minutes", "seed")
_ELSEWHERE = {"data", "out", "labels", "extra", "frontend", "name", "version", "licence"}
_OF_THE_MACHINE = {"cache", "resume", "threads", "workers"}


def release(settings: TrainSettings, material: Material, network: Network, step: int, elapsed: float) -> Path:
    """Choose the rules on valid, measure on test, write `settings.out`; raises EarwitnessError."""
    clips = without_duplicates(material.clips, settings.labels, material.library)
    log.info("left out of valid and test: %d near-duplicates", len(material.clips) - len(clips))
    training = summary(settings, network, step, elapsed)
    with TemporaryDirectory() as folder:
        draft = Path(folder) / settings.out.name
        export(network, described(settings, network, {}, training, {}), draft)
        rules, on_valid = calibrated(settings, material, clips, OnnxModel(draft))
        export(network, described(settings, network, rules, training, {}), draft)
        on_test = tested(settings, material, clips, OnnxModel(draft))
    export(network, described(settings, network, rules, training, {"valid": on_valid, "test": on_test}), settings.out)
    log.info("%s: written; macro onset F1 on test %s", settings.out, on_test["scenes"]["macro_f1"])
    return settings.out


def calibrated(
    settings: TrainSettings, material: Material, clips: list[Clip], model: OnnxModel
) -> tuple[dict[str, Rule], dict[str, object]]:
    """The rule of each label, and what it reaches on the scenes of the valid split it was chosen on."""
    on_scenes = scored(model, scenes(settings, material, clips, "valid", VALID_SEED, CHOOSING))
    on_plain: list[Scored] = scored(model, plain(material, clips, "valid"))
    rules: dict[str, Rule] = {}
    reached: dict[str, object] = {}
    for label in settings.scored:
        if not any(event.label == label for scene in on_scenes for event in scene.events):
            log.info("%s: no event on valid; its rule is the one that rules have when nothing is said", label)
            continue
        alerts = label in settings.labels  # the plain files hold music, dogs and engines
        choice = choose(model, label, on_scenes, on_plain if alerts else [], SEARCHES.get(label, Search()))
        rules[label] = choice.rule.model_copy(update={"alert": alerts})
        reached[label] = {"f1": round(choice.counts.f1, 3), "alarms_per_hour": round(choice.alarms_per_hour, 2)}
        log.info("%s: %s, F1 %.3f, %.1f alarms/h", label, choice.rule, choice.counts.f1, choice.alarms_per_hour)
    return rules, reached


def tested(
    settings: TrainSettings, material: Material, clips: list[Clip], model: OnnxModel
) -> dict[str, dict[str, object]]:
    """The figures on the test split with the rules in `model`, through `detect`."""
    rules = {label: rule.model_copy(update={"alert": True}) for label, rule in model.metadata.rules.items()}
    mixed = measure(model, rules, scenes(settings, material, clips, "test", TEST_SEED, MEASURING))
    quiet = measure(model, rules, plain(material, clips, "test"))
    files = [(c.label, _whole(material, c)) for c in clips if c.split == "test" and c.label in settings.labels]
    found = hits(model, rules, files)
    return {
        "scenes": mixed.of(settings.labels).summary(),
        **({"extra": mixed.of(settings.extra).summary()} if settings.extra else {}),
        "hits": {
            kind: {"files": row.files, **{n: round(row.rate(n), 3) for n in settings.labels}}
            for kind, row in found.items()
        },
        "false_alarms_per_hour": {
            "hours": round(quiet.seconds / 3600.0, 2),
            **{label: round(quiet.false_per_hour(label), 2) for label in settings.labels},
        },
    }


def scenes(
    settings: TrainSettings, material: Material, clips: list[Clip], split: Split, seed: int, recipe: Recipe
) -> Iterator[Recording]:
    """Seeded mixtures of one side of the split."""
    mixer = Mixer(material.library, clips, split, settings.labels, recipe, settings.extra)
    rate = settings.frontend.sample_rate
    for number in range(settings.valid_scenes):
        scene = mixer.scene((seed, number), round(settings.seconds * rate))
        events = tuple(
            Sound(mark.label, mark.onset / rate, mark.offset / rate) for mark in (*scene.events, *scene.extras)
        )
        yield Recording(f"{split}-{number}", partial(_same, scene.samples), events)


def plain(material: Material, clips: list[Clip], split: Split) -> Iterator[Recording]:
    """Whole files of background, music and speech, less those in which a target is heard."""
    for clip in clips:
        if clip.split == split and clip.label in PLAIN and not clip.suspect:
            yield _whole(material, clip)


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
        rules={label: rules.get(label, Rule(alert=label in settings.labels)) for label in settings.scored},
        licence=settings.licence,
        training=training,
        scores=dict(scores),
    )


def summary(settings: TrainSettings, network: Network, step: int, elapsed: float) -> dict[str, object]:
    """How the network came about."""
    given = settings.model_dump(mode="json", exclude=_ELSEWHERE | _OF_THE_MACHINE, exclude_defaults=True)
    options = "".join(f" --{name} {given[name]:g}" for name in _OPTIONS if name in given)
    others = {name: value for name, value in given.items() if name not in _OPTIONS}
    return {
        "command": f"earwitness train {settings.data} --out {settings.out}{options}",
        **({"settings": others} if others else {}),
        "split": "train",
        "steps": step,
        "scenes_per_step": settings.batch,
        "scene_seconds": settings.seconds,
        "minutes": round(elapsed / 60.0, 1),
        "machine": f"{platform.machine()}, {settings.threads} thread",
        "network": network.kind,
        "parameters": sum(part.numel() for part in network.parameters()),
        "mel_mean_db": [round(float(value), 3) for value in network.mean],
        "mel_std_db": [round(float(value), 3) for value in network.spread],
    }


def _whole(material: Material, clip: Clip) -> Recording:
    return Recording(clip.path, partial(_read, material, clip))


def _read(material: Material, clip: Clip) -> Floats:
    return material.library.samples(clip)


def _same(samples: Floats) -> Floats:
    return np.asarray(samples, np.float32)
