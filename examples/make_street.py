"""Synthesise 45 s of a street, with sirens, gun shots and breaking glass, and the list of what is in it.

`python examples/make_street.py street.wav` writes `street.wav` (16 kHz, mono, 16 bit) and, beside it, `street.tsv`.
Nothing is recorded: each sound comes from the formula that its function names.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

Sound = NDArray[np.float64]  # mono samples, (n,)

RATE = 16_000  # Hz
FINE = 4 * RATE  # Hz, where the siren is made: its overtones must not fold back
SECONDS = 45.0
SPEED_OF_SOUND = 343.0  # m/s
BED_DBFS = -37.0
AUDIBLE_HZ = (300.0, 8000.0)  # where levels are compared: above the rumble of traffic
# Low and high in Hz, share of the reverberation time, gain:
STREET_BANDS = ((100, 500, 1.1, 1.0), (500, 1500, 1.0, 1.0), (1500, 3500, 0.7, 1.5), (3500, 8000, 0.45, 2.0))
FREE_SQUARE_PLATE = (13.49, 19.79, 24.43, 35.02, 61.53)  # eigenvalues, Leissa, J. Sound Vib. 31 (1973), 257-293
GLASS_STIFFNESS = 5_400.0 / math.sqrt(12)  # m/s, speed of plate waves in window glass over sqrt(12)


@dataclass(frozen=True)
class TrueEvent:
    """What can be heard, and when, in seconds from the start of the file."""

    onset: float
    offset: float
    label: str


@dataclass(frozen=True)
class Layer:
    """One sound of the street; `level` is its loudest 125 ms in dB over the bed; no label: not to be detected."""

    start: float
    level: float
    sound: Sound
    label: str = ""


def make_street(out: Path, seed: int = 0) -> list[TrueEvent]:
    """Write the sound to `out` and its events to the .tsv beside it; return the events in order of onset."""
    rng = np.random.default_rng(seed)
    mix = street_bed(rng)
    floor = float(np.median(frame_powers(mix, 0.125)))
    truth = []
    for layer in schedule(rng):
        heard = at_level(layer, floor)
        add(mix, heard, layer.start)
        if layer.label:
            onset, offset = extent(heard, floor)
            truth.append(TrueEvent(round(layer.start + onset, 3), round(layer.start + offset, 3), layer.label))
    soundfile.write(out, microphone(mix), RATE, subtype="PCM_16")
    write_truth(out, truth)
    return truth


def schedule(rng: np.random.Generator) -> Iterator[Layer]:
    """What happens, in order; between the targets come sounds that a detector should leave alone."""
    yield Layer(3.0, 21, glass_break(rng, pane_m=0.9, fall_m=0.9), "glass_break")
    yield Layer(6.0, 9, car_door(rng))
    yield Layer(8.5, 22, siren(rng, seconds=7.5, low_hz=600, high_hz=1500, per_minute=17), "siren")
    yield Layer(17.0, 6, birds(rng))
    yield Layer(19.5, 25, gun_shot(rng, blast_ms=3.0, rt60=1.1), "gun_shot")
    yield Layer(22.5, 23, gun_shot(rng, blast_ms=3.5, rt60=1.3), "gun_shot")
    yield Layer(25.0, 6, footsteps(rng, 4))
    yield Layer(27.5, 22, siren(rng, seconds=7.0, low_hz=650, high_hz=1600, per_minute=190), "siren")
    yield Layer(35.5, 5, footsteps(rng, 4))
    yield Layer(38.0, 19, glass_break(rng, pane_m=0.6, fall_m=1.3), "glass_break")
    yield Layer(41.0, 22, gun_shot(rng, blast_ms=4.5, rt60=1.5, crack_ahead=0.06), "gun_shot")


def street_bed(rng: np.random.Generator) -> Sound:
    """Traffic far away: noise that falls by 6 dB an octave over 40 Hz, slow gusts, and three cars that pass."""
    n = int(SECONDS * RATE)
    rumble = band(rng.normal(0, 1, n), 40, 40, order=1)
    knots = np.arange(0, SECONDS + 2.5, 2.5)
    gusts_db = np.interp(np.arange(n) / RATE, knots, rng.normal(0, 1.5, len(knots)))
    bed = rumble / float(rumble.std()) * 10 ** (gusts_db / 20)
    for closest in (5.0, 24.5, 37.0):
        bed += pass_by(rng, n, closest + rng.uniform(-1, 1))
    return bed * (10 ** (BED_DBFS / 20) / float(bed.std()))


def pass_by(rng: np.random.Generator, n: int, closest: float, speed: float = 13.0, lateral: float = 25.0) -> Sound:
    """Tyre noise, strongest near 1 kHz (Sandberg 2003), of a car `lateral` metres away at its closest; level 1/r."""
    time = np.arange(n) / RATE - closest
    return band(rng.normal(0, 0.9, n), 500, 1400) * lateral / np.hypot(lateral, speed * time)


def siren(rng: np.random.Generator, seconds: float, low_hz: float, high_hz: float, per_minute: float) -> Sound:
    """An electronic siren that drives by, switched on and off on its way.

    Wail is 10 to 30 sweeps a minute, yelp 150 to 250 (California Code of Regulations, title 13, section 1028).
    """
    time = np.arange(int(seconds * FINE)) / FINE
    pitch = low_hz * (high_hz / low_hz) ** charge_curve(time * per_minute / 60)
    fade = np.minimum(1, np.minimum(time, seconds - time) / 0.06)
    horn = horn_loudspeaker(2 * np.pi * np.cumsum(pitch) / FINE) * fade
    facades = ((11.0, 1.0), (19.0, 0.35), (29.0, 0.25))  # metres to the path's mirror images, reflection factor
    paths = [gain * drive_by(horn, path, speed=13.0, closest=seconds * 0.45) for path, gain in facades]
    return reverberate(np.sum(paths, axis=0), street_response(rng, rt60=0.9, wet=0.3))


def charge_curve(cycles: Sound) -> Sound:
    """The voltage of a capacitor charged for 45 % of a cycle and discharged for the rest, in [0, 1]."""
    phase = cycles % 1.0
    up = (1 - np.exp(-phase / 0.45 * 3)) / (1 - math.exp(-3))
    down = (np.exp(-(phase - 0.45) / 0.55 * 1.2) - math.exp(-1.2)) / (1 - math.exp(-1.2))
    return np.where(phase < 0.45, up, down)


def horn_loudspeaker(phase: Sound) -> Sound:
    """An overdriven amplifier (soft clipping, a bias for even harmonics) into a compression driver's horn, at FINE."""
    driven = np.tanh(3.0 * (np.sin(phase) + 0.1))
    return band(band(driven, 700, 3000, FINE), 50, 7500, FINE, order=12)


def drive_by(sound: Sound, lateral: float, speed: float, closest: float) -> Sound:
    """What a still ear hears of a source on a straight line, from FINE to RATE: delay r/c (so Doppler), level 1/r."""
    emitted = np.arange(len(sound)) / FINE
    distance = np.hypot(lateral, speed * (emitted - closest))
    arrival = emitted + distance / SPEED_OF_SOUND
    heard = np.arange(int((emitted[-1] + 0.3) * RATE)) / RATE
    return np.interp(heard, arrival, sound / distance, left=0.0, right=0.0)


def gun_shot(rng: np.random.Generator, blast_ms: float, rt60: float, crack_ahead: float = 0.0) -> Sound:
    """Muzzle blast, with the bullet's shock wave `crack_ahead` seconds before it if that is not 0, in a street."""
    shot = np.zeros(int(0.2 * RATE))
    add(shot, friedlander(blast_ms / 1000), crack_ahead)
    if crack_ahead:
        add(shot, 0.7 * n_wave(0.0004), 0.0)
    near = band(shot, 250, 7000, order=1)
    return limited(reverberate(near, street_response(rng, rt60, wet=4.0)))


def friedlander(seconds: float) -> Sound:
    """The blast's pressure (1 - t/T) exp(-t/T), Friedlander 1946; it lasts 3T, for a muzzle 3 to 5 ms (Maher 2006)."""
    time = np.arange(int(3 * seconds * RATE)) / RATE / (seconds / 3)
    return (1 - time) * np.exp(-time)


def n_wave(seconds: float) -> Sound:
    """The N of a supersonic bullet's shock front, some 0.2 to 0.5 ms long (Whitham 1952, Maher 2006)."""
    return np.linspace(1.0, -1.0, max(2, int(seconds * RATE)))


def limited(sound: Sound, threshold: float = 0.05) -> Sound:
    """What a recorder's limiter leaves of a shot: its 10 ms level, over `threshold` of the highest, is held flat."""
    size = RATE // 100
    level = np.sqrt(np.convolve(sound**2, np.ones(size))[: len(sound)])
    held = sound / np.sqrt(1 + (level / (threshold * float(level.max()))) ** 2)
    return np.tanh(3.0 * held / float(np.abs(held).max()))


def glass_break(rng: np.random.Generator, pane_m: float, fall_m: float) -> Sound:
    """A pane struck, its cracks, and its shards that ring as they part and again as they land and bounce."""
    sound = np.zeros(int(2.5 * RATE))
    add(sound, 2.0 * impact(rng, pane_m), 0.0)
    landing = math.sqrt(2 * fall_m / 9.81)  # s, free fall
    for start, width, count, gain in ((0.0, 0.15, 400, 1.0), (landing, 0.15, 200, 0.8), (landing + 0.2, 0.2, 80, 0.4)):
        for when in start + poisson_times(rng, count, width):
            add(sound, gain * shard(rng), when)
    return reverberate(sound, street_response(rng, rt60=0.5, wet=0.2))


def impact(rng: np.random.Generator, pane_m: float) -> Sound:
    """The blow: a burst of noise as cracks run, and the pane's own low modes, soon dead."""
    time = np.arange(int(0.15 * RATE)) / RATE
    crack = band(rng.normal(0, 1, len(time)), 1500, 7500) * np.exp(-time / 0.012)
    return 3.0 * crack + plate_modes(rng, 0.004, pane_m / 3, 0.05, len(time))


def shard(rng: np.random.Generator) -> Sound:
    """One piece of 3 to 6 mm glass, 2 to 7 cm across, hit on its edge: a click of 1 ms, then its own modes."""
    side = math.exp(rng.uniform(math.log(0.022), math.log(0.07)))
    ring = plate_modes(rng, rng.choice((0.003, 0.004, 0.006)), side, 0.006, int(0.2 * RATE))
    ring[:64] += 2.0 * rng.normal(0, 1, 64) * np.exp(-np.arange(64) / 16)
    return rng.lognormal(0, 0.7) * ring


def plate_modes(rng: np.random.Generator, thick_m: float, side_m: float, loss: float, n: int) -> Sound:
    """The decaying bending modes of a free square plate below 7.6 kHz, (n,); loss factor: T60 = 2.2 / (loss f)."""
    eigenvalues = np.array(FREE_SQUARE_PLATE) * rng.uniform(0.85, 1.15, len(FREE_SQUARE_PLATE))  # no shard is square
    pitch = eigenvalues / (2 * np.pi * side_m**2) * GLASS_STIFFNESS * thick_m
    pitch = pitch[pitch < 7600, None]
    time = np.arange(n) / RATE
    waves = np.exp((2j - loss) * np.pi * pitch * time).imag
    ring: Sound = (rng.normal(0, 1, pitch.shape) * waves).sum(axis=0)
    return ring


def poisson_times(rng: np.random.Generator, mean_count: float, width: float) -> Sound:
    """Times of a Poisson process whose rate decays as exp(-t/width), seconds."""
    return rng.exponential(width, rng.poisson(mean_count))


def car_door(rng: np.random.Generator) -> Sound:
    """A thump: panel modes at 75 to 210 Hz, and the latch."""
    time = np.arange(int(0.5 * RATE)) / RATE
    panel = np.sum([np.sin(2 * np.pi * hz * time) * np.exp(-time * hz / 5) for hz in (75, 118, 210)], axis=0)
    latch = band(rng.normal(0, 1, len(time)), 300, 1500) * np.exp(-time / 0.02)
    return reverberate(panel + 0.5 * latch, street_response(rng, rt60=0.5, wet=0.4))


def footsteps(rng: np.random.Generator, count: int) -> Sound:
    """Heel and sole on asphalt, 1.9 steps a second."""
    time = np.arange(int(0.12 * RATE)) / RATE
    walk = np.zeros(int((count / 1.9 + 0.5) * RATE))
    for step in range(count):
        for delay, gain in ((0.0, 1.0), (0.07, 0.5)):
            noise = band(rng.normal(0, gain, len(time)), 150, 900)
            add(walk, noise * time * np.exp(-time / 0.012), step / 1.9 + delay + rng.uniform(0, 0.02))
    return walk


def birds(rng: np.random.Generator) -> Sound:
    """A few falling whistles between 3 and 5 kHz."""
    song = np.zeros(int(1.8 * RATE))
    time = np.arange(int(0.14 * RATE)) / RATE
    for start in np.cumsum(rng.uniform(0.17, 0.3, 6)):
        pitch = rng.uniform(3800, 4800) - 6000 * time
        add(song, np.sin(2 * np.pi * np.cumsum(pitch) / RATE) * np.hanning(len(time)), start - 0.17)
    return song


def street_response(rng: np.random.Generator, rt60: float, wet: float) -> Sound:
    """Impulse response of a street: the direct sound, six facades, a tail of noise with `wet` times its energy.

    The tail decays exponentially, treble faster (Moorer 1979); it builds up over 20 ms, as between two rows of houses.
    """
    time = np.arange(int(rt60 * RATE)) / RATE
    tail = np.zeros(len(time))
    for low, high, share, gain in STREET_BANDS:
        tail += band(rng.normal(0, gain, len(time)), low, high) * 10 ** (-3 * time / (rt60 * share))
    tail *= 1 - np.exp(-time / 0.02)
    response = tail * math.sqrt(wet / float(np.sum(tail**2)))
    response[0] = 1.0
    for delay in rng.uniform(0.008, 0.12, 6):
        response[int(delay * RATE)] += rng.choice((-1, 1)) * 0.3 * math.sqrt(wet) * math.exp(-delay / 0.08)
    return response


def reverberate(sound: Sound, response: Sound) -> Sound:
    """The full linear convolution, by FFT."""
    size = len(sound) + len(response) - 1
    fast = power_of_two(size)
    return np.fft.irfft(np.fft.rfft(sound, fast) * np.fft.rfft(response, fast), fast)[:size]


def band(sound: Sound, low_hz: float, high_hz: float, rate: int = RATE, order: int = 2) -> Sound:
    """The sound between two frequencies; Butterworth's magnitude, without its phase."""
    size = power_of_two(len(sound))
    hz = np.maximum(np.fft.rfftfreq(size, 1 / rate), 1e-3)
    gain = 1 / np.sqrt((1 + (low_hz / hz) ** (2 * order)) * (1 + (hz / high_hz) ** (2 * order)))
    return np.fft.irfft(np.fft.rfft(sound, size) * gain, size)[: len(sound)]


def power_of_two(n: int) -> int:
    """The least power of two that is not below n: FFTs of it are fast."""
    return 1 << (n - 1).bit_length()


def at_level(layer: Layer, floor: float) -> Sound:
    """The sound, scaled: its loudest 125 ms (F of IEC 61672) `level` dB over the power `floor`, above 300 Hz."""
    loudest = float(frame_powers(layer.sound, 0.125).max())
    return layer.sound * math.sqrt(10 ** (layer.level / 10) * floor / loudest)


def extent(heard: Sound, floor: float, seconds: float = 0.01) -> tuple[float, float]:
    """First and last moment, in seconds, at which a sound is above the floor and within 25 dB of its own peak."""
    powers = frame_powers(heard, seconds)
    audible = np.flatnonzero(powers > max(powers.max() * 10**-2.5, floor))
    return float(audible[0]) * seconds, float(audible[-1] + 1) * seconds


def frame_powers(sound: Sound, seconds: float) -> Sound:
    """Mean square of each whole frame, of what lies within AUDIBLE_HZ, (frames,)."""
    size = int(seconds * RATE)
    whole = band(sound, *AUDIBLE_HZ)[: len(sound) // size * size]
    return np.asarray((whole.reshape(-1, size) ** 2).mean(axis=1))


def microphone(sound: Sound) -> Sound:
    """A capsule that overloads softly: linear when quiet, never beyond 0.95 of full scale."""
    return 0.95 * np.tanh(sound / 0.95)


def add(track: Sound, sound: Sound, start: float) -> None:
    """Mix a sound into a track, in place, from `start` seconds; what would run over the end is cut."""
    first = round(start * RATE)
    part = sound[: max(0, len(track) - first)]
    track[first : first + len(part)] += part


def write_truth(out: Path, truth: list[TrueEvent]) -> None:
    """The event list of `out` as tab-separated text beside it: seconds, header first."""
    rows = [f"{out.name}\t{event.onset:.3f}\t{event.offset:.3f}\t{event.label}" for event in truth]
    text = "\n".join(["filename\tonset\toffset\tevent_label", *rows]) + "\n"
    out.with_suffix(".tsv").write_text(text, encoding="utf-8")


def main() -> None:
    """Parse the command line, write the two files and say where they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, default=Path(__file__).with_name("street.wav"), metavar="OUT.wav")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another street (default 0)")
    options = parser.parse_args()
    truth = make_street(options.out, options.seed)
    print(f"{options.out} and {options.out.with_suffix('.tsv')}: {len(truth)} events in {SECONDS:g} s")


if __name__ == "__main__":
    main()
