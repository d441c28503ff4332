"""Every augmentation as a picture: a real clip's log-mel before and after each, named by its switch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from sed.errors import SinkError, UsageError
from sed.frontend import log_mel
from sed.metadata import FrontendSettings
from sed.plot import label_bands
from sed.signals import Floats
from sed.train import effects, recorder, sirens, tempo, textures
from sed.train.codec import CODECS, coded, fitted
from sed.train.drums import drums
from sed.train.rooms import Place, place, response
from sed.train.spectral import Spectral

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SECONDS = 3.2
"""Shown of each clip."""
BEFORE = 0.3  # seconds of silence before the clip, so that an onset that moved would be seen

_COLUMNS = 4  # pairs of before and after
_STILL = Spectral(gain=(0.0, 0.0), response=0.0, narrow=0.0, muted=())
_SHOWN_DB = 80.0
_CHANCE = 5  # a draw that shows each change clearly

Sounds = Iterator[tuple[str, str, Floats]]


@dataclass(frozen=True, slots=True)
class Tile:
    """One augmentation of a clip."""

    switch: str  # in recipe.py or spectral.py
    setting: str
    before: Floats  # (n, mels) dB
    after: Floats  # (n', mels) dB


def check_showing(path: Path) -> None:
    """Raise UsageError, before any work is done, if no picture can be drawn into `path`."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise UsageError(f"--show-augmentations {path}: needs matplotlib; pip install 'earwitness[plot]'") from error
    if path.suffix.lower() not in {".png", ".svg", ".pdf"}:
        raise UsageError(f"--show-augmentations {path}: need a name that ends in .png, .svg or .pdf")


def tiles(samples: Floats, other: Floats, settings: FrontendSettings, seed: int) -> list[Tile]:
    """Every augmentation of `samples`; `other` is what lies under it in a mixup, both at the frontend's rate."""
    rate = settings.sample_rate
    count = int((SECONDS - BEFORE) * rate)
    clips = [np.pad(fitted(clip, count), (int(BEFORE * rate), 0)) for clip in (samples, other)]
    before, under = (_whole(log_mel(clip, settings)) for clip in clips)
    sounds = [
        Tile(switch, setting, before, log_mel(np.clip(sound, -1.0, 1.0), settings))
        for make in (_moved, _placed, _laid, _recorded, _coded)
        for switch, setting, sound in make(clips[0], rate, np.random.default_rng(seed))
    ]
    return [*sounds, *_spectral(before, under)]


def draw(shown: Sequence[Tile], title: str, settings: FrontendSettings, path: Path) -> None:
    """Write the tiles as one picture; raises SinkError."""
    from matplotlib.figure import Figure

    rows = -(-len(shown) // _COLUMNS)
    inches = 2.0 * rows + 0.8
    figure = Figure(figsize=(5.0 * _COLUMNS, inches))
    place = {"left": 0.02, "right": 0.995, "bottom": 0.3 / inches, "top": 1.0 - 0.7 / inches, "hspace": 0.42}
    grid = figure.subplots(rows, 2 * _COLUMNS, squeeze=False, gridspec_kw=place | {"wspace": 0.14})
    figure.text(0.02, 1.0 - 0.3 / inches, title, fontsize=12, parse_math=False)
    for axes in grid.flat[2 * len(shown) :]:
        axes.axis("off")
    for left, right, tile in zip(grid.flat[0::2], grid.flat[1::2], shown, strict=False):
        left.set_title(f"{tile.switch}: {tile.setting}", fontsize=9, loc="left", parse_math=False)
        for axes, frames in ((left, tile.before), (right, tile.after)):
            _draw_mel(axes, frames, float(tile.before.max()), settings)
        right.set_yticklabels([])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=100)
    except OSError as error:
        raise SinkError(f"--show-augmentations {path}: cannot be written ({error.strerror})") from error


def _draw_mel(axes: "Axes", frames: Floats, top: float, settings: FrontendSettings) -> None:
    seconds = len(frames) * settings.hop / settings.sample_rate
    axes.imshow(
        frames.T, origin="lower", aspect="auto", cmap="magma", interpolation="nearest",
        extent=(0, seconds, 0, settings.mels), vmin=top - _SHOWN_DB, vmax=top,
    )  # fmt: skip
    label_bands(axes, settings)
    axes.set(xlim=(0, 1.3 * SECONDS), xticks=range(int(1.3 * SECONDS) + 1), ylabel="")
    axes.tick_params(labelsize=6)


def _moved(samples: Floats, rate: int, rng: np.random.Generator) -> Sounds:
    yield "speed", "1.25 times as fast", effects.speed(samples, 1.25)
    yield "stretch", "0.8 times as fast, the same pitch", tempo.stretched(samples, rate, 0.8)
    yield "pitch", "3 semitones higher", tempo.pitched(samples, rate, 3.0)
    yield "speed of a siren", "drifts from +6 to -6 %, as it drives by", effects.drift(samples, rng, 0.12)


def _placed(samples: Floats, rate: int, rng: np.random.Generator) -> Sounds:
    yield "tone", "a tilt, often dull", effects.colour(samples, rng, rate, None)
    yield "room", "decaying noise", effects.colour(samples, rng, rate, effects.rooms(1, rate, rng)[0])
    for where in _places(rate, rng):
        kind = "street" if where.outdoors else "box"
        size = " x ".join(f"{metres:.0f}" for metres in where.size)
        heard = np.convolve(samples, response(where, rate, 1)).astype(np.float32)
        heard *= np.float32(np.abs(samples).max() / max(float(np.abs(heard).max()), 1e-9))
        yield "simulated", f"a {kind} of {size} m, {where.distance:.0f} m away", heard
    yield "far", "a siren's highs fall off", effects.muffle(samples, rng, rate)


def _places(rate: int, rng: np.random.Generator) -> list[Place]:
    """A close and a far source in a room, and a street."""
    drawn = [place(rate, rng) for _ in range(60)]
    rooms = sorted((one for one in drawn if not one.outdoors), key=lambda one: one.distance)
    streets = [one for one in drawn if one.outdoors and one.distance > 5.0]
    return [rooms[len(rooms) // 8], rooms[-len(rooms) // 6], *streets[:1]]


def _laid(samples: Floats, rate: int, rng: np.random.Generator) -> Sounds:
    """What is made, under the clip, 6 dB below it."""
    count = len(samples)
    yield "drums", "a drum machine under it", recorder.noisy(samples, drums(count, rate, rng), 6.0)
    for make in (textures.crackle, textures.wheels, textures.creaks):
        yield "made", f"{make.__name__} under it", recorder.noisy(samples, make(count, rate, rng), 6.0)
    yield "texture", "gusts under it", recorder.noisy(samples, textures.gusts(count, rate, rng), 6.0)
    yield "synthetic", "a made siren", sirens.siren(count, rate, rng) * np.float32(np.abs(samples).max())
    yield "overlay", "several at once under it", recorder.noisy(samples, textures.texture(count, rate, rng), 6.0)


def _recorded(samples: Floats, rate: int, rng: np.random.Generator) -> Sounds:
    gains = recorder.curve(rng)
    yield (
        "equaliser",
        ", ".join(f"{round(float(gain)):+d}" for gain in gains) + " dB, 100 Hz to 7 kHz",
        recorder.equalised(samples, rate, gains),
    )
    yield "band", "nothing above 3500 Hz", recorder.narrowed(samples, rate, 3500.0)
    yield "noise", "10 dB below", recorder.noisy(samples, effects.hiss(len(samples), rng), 10.0)
    yield "clipping", "a sound 18 dB over, cut", recorder.clipped(samples, 18.0, False)
    yield "clipping", "18 dB over, bent", recorder.clipped(samples, 18.0, True)
    yield "overdrive", "the scene 12 dB over", np.clip(samples * np.float32(4.0 / np.abs(samples).max()), -1.0, 1.0)
    yield "peak", "26 dB softer", samples * np.float32(0.05)


def _coded(samples: Floats, rate: int, _: np.random.Generator) -> Sounds:
    for name, codec in CODECS.items():
        share = 0.8
        setting = name if codec.effort is None else f"{name}, compression {np.interp(share, (0, 1), codec.effort):.2f}"
        yield "codec", setting, coded(samples, rate, codec, share)


def _spectral(before: Floats, under: Floats) -> Iterator[Tile]:
    """The changes to frames, one at a time; of a batch that is `under` but for its first scene."""
    frames = torch.from_numpy(np.stack([before, *[under] * 7]))
    marks = torch.zeros(len(frames), len(before) // 4, 1)
    for switch, setting, how in (
        ("gain", "20 dB softer", replace(_STILL, gain=(-20.0, -20.0))),
        ("response", "up to 9 dB either way", replace(_STILL, response=9.0)),
        ("narrow", "the highs are cut", replace(_STILL, narrow=1.0)),
        ("muted", "SpecAugment, two bands", replace(_STILL, muted=(1.0, 1.0), widest=12.0)),
        ("gaps", "SpecAugment, three stretches of time", replace(_STILL, gaps=(1.0, 1.0, 1.0), longest=40.0)),
        ("warp", "the mel axis, up to 20 %", replace(_STILL, warp=0.2)),
        ("blend", "mixup, another scene under this one", replace(_STILL, blend=1.0)),
        ("shift", "in a circle", replace(_STILL, shift=0.9)),
    ):
        changed = how.vary((frames, marks, torch.ones_like(marks)), 3, torch.Generator().manual_seed(_CHANCE))[0]
        yield Tile(switch, setting, before, np.asarray(changed[0].numpy(), np.float32))


def _whole(frames: Floats) -> Floats:
    """Cut to whole rows of four frames."""
    return frames[: len(frames) // 4 * 4]
