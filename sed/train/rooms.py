"""Impulse responses of simulated rooms and streets, made once by pyroomacoustics and kept in the cache."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyroomacoustics as pra

from sed.signals import Floats

Rng = np.random.Generator
Point = npt.NDArray[np.float64]

LONGEST = 1.5  # seconds kept of a response
STREETS = 0.25  # share of them among the rooms

_VERSION = 1
_BANDS = (125, 250, 500, 1000, 2000, 4000)
_WALLS = ("east", "west", "north", "south", "floor", "ceiling")
_OPEN = 0.99  # energy lost to the open sky
_EARLY = 40  # samples before the direct sound in which pyroomacoustics lays its interpolation


@dataclass(frozen=True, slots=True)
class Place:
    """A box with a source and a microphone in it; metres."""

    size: tuple[float, float, float]
    lost: dict[str, list[float]]  # share of the energy that each wall takes at each reflection, an octave band each
    source: Point
    microphone: Point
    outdoors: bool

    @property
    def distance(self) -> float:
        """From source to microphone."""
        return float(np.linalg.norm(self.source - self.microphone))


def simulated(count: int, rate: int, seed: int, cache: Path) -> list[Floats]:
    """`count` responses, float32, that begin with the direct sound, 1; taken from `cache` if they are there.

    Sources are 1 to 30 m away, in boxes from a bathroom to a hall and in streets. The same seed gives the same rooms.
    150 of them take some 15 s of one core at 16 kHz.
    """
    file = cache / f"rooms-{_VERSION}-{pra.__version__}-{count}-{rate}-{seed}.npz"
    if not file.is_file():
        _save([response(place(rate, rng), rate, n) for n, rng in enumerate(_chances(count, seed))], file)
    with np.load(file) as kept:
        return [np.asarray(kept[name], np.float32) for name in kept.files]


def place(rate: int, rng: Rng) -> Place:
    """A random room or street; the sound's way through it takes a whole number of samples."""
    distance = float(np.exp(rng.uniform(0.0, np.log(30.0))))
    outdoors = bool(rng.random() < STREETS)
    size, lost = _street(distance, rng) if outdoors else _room(distance, rng)
    source, microphone = _apart(distance, size, rng)
    samples = np.linalg.norm(source - microphone) * rate / pra.constants.get("c")
    source = microphone + (source - microphone) * np.floor(samples) / samples
    return Place(size, lost, source, microphone, outdoors)


def response(place: Place, rate: int, seed: int) -> Floats:
    """What the microphone hears of a click, (n,) with the direct sound, 1, at 0: no onset is moved.

    Image sources give the early reflections, ray tracing the tail; in a street there are image sources only.
    """
    pra.random.seed(seed)
    materials = {name: pra.Material({"coeffs": c, "center_freqs": list(_BANDS)}, 0.2) for name, c in place.lost.items()}
    box = pra.ShoeBox(
        place.size,
        fs=rate,
        materials=materials,
        max_order=8 if place.outdoors else 3,
        air_absorption=True,
    )
    if not place.outdoors:
        box.set_ray_tracing(n_rays=1500, receiver_radius=0.5, time_thres=LONGEST, hist_bin_size=0.004)
    box.add_source(place.source)
    box.add_microphone(place.microphone)
    box.compute_rir()
    first = round(place.distance * rate / pra.constants.get("c")) + _EARLY
    return _trimmed(np.asarray(box.rir[0][0][first : first + int(LONGEST * rate)], np.float64))


def _chances(count: int, seed: int) -> list[Rng]:
    return [np.random.default_rng((seed, number)) for number in range(count)]


def _room(distance: float, rng: Rng) -> tuple[tuple[float, float, float], dict[str, list[float]]]:
    """A closed box in which `distance` fits; hard or soft, and softer for the highs."""
    length = max(distance * rng.uniform(1.1, 2.0), float(np.exp(rng.uniform(np.log(2.5), np.log(25.0)))))
    width = max(1.8, length * rng.uniform(0.4, 1.0))
    height = float(np.clip(length * rng.uniform(0.3, 0.8), 2.2, 10.0))
    soft = np.exp(rng.uniform(np.log(0.08), np.log(0.6)))
    tilt = rng.uniform(-0.1, 0.35)  # per octave
    return (length, width, height), {wall: _lost(soft * rng.uniform(0.5, 2.0), tilt) for wall in _WALLS}


def _street(distance: float, rng: Rng) -> tuple[tuple[float, float, float], dict[str, list[float]]]:
    """Ground and one or two house fronts under the open sky: few reflections, strong and late."""
    size = (distance + rng.uniform(20.0, 60.0), max(distance / 2.0, rng.uniform(8.0, 50.0)), rng.uniform(6.0, 20.0))
    lost = {wall: [_OPEN] * len(_BANDS) for wall in _WALLS}
    lost["floor"] = _lost(rng.uniform(0.03, 0.5), 0.2)
    lost["north"] = _lost(rng.uniform(0.03, 0.3), 0.1)
    if rng.random() < 0.6:
        lost["south"] = _lost(rng.uniform(0.03, 0.3), 0.1)
    return size, lost


def _lost(share: float, tilt: float) -> list[float]:
    """`share` at 500 Hz, times 1 + `tilt` for every octave up."""
    return [float(np.clip(share * (1.0 + tilt) ** octave, 0.01, 0.95)) for octave in range(-2, len(_BANDS) - 2)]


def _apart(distance: float, size: tuple[float, float, float], rng: Rng) -> tuple[Point, Point]:
    """Of 300 pairs of points at most 6 m high, the one nearest to `distance` apart."""
    low, high = np.full(3, 0.4), np.minimum(np.array(size) - 0.4, (np.inf, np.inf, 6.0))
    one, other = rng.uniform(low, high, (2, 300, 3))
    best = int(np.argmin(np.abs(np.linalg.norm(one - other, axis=1) - distance)))
    return one[best], other[best]


def _trimmed(heard: Point) -> Floats:
    """Ended where the rest holds less than a 300,000th of the energy, faded out, and scaled to begin with 1."""
    rest = np.cumsum(np.square(heard[::-1]))[::-1]
    heard = heard[: max(1, int(np.count_nonzero(rest > rest[0] * 3e-6)))] / heard[0]
    fade = min(len(heard) // 4, 800)
    heard[len(heard) - fade :] *= np.linspace(1.0, 0.0, fade)
    return np.asarray(heard, np.float32)


def _save(responses: list[Floats], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".part{os.getpid()}")
    with part.open("wb") as out:
        np.savez(out, *responses)
    part.replace(file)
