"""Scenes to measure on: the same bytes for a seed, levels that can be measured back, truth where the energy is."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from sed.errors import AudioError
from sed.signals import Floats
from sed.train.clips import Clip
from sed.train.library import Library
from sed.train.testset import BED_LEVELS, KINDS, RATIOS, Kind, MixedScene, Placed, SceneSet, joined
from tests.train.sounds import RATE

LABELS = ("siren", "gun_shot", "glass_break")
SECONDS = 12.0


@pytest.fixture(scope="module")
def scenes(library: Library, clips: list[Clip]) -> SceneSet:
    return SceneSet(library, clips, "test", LABELS, SECONDS, seed=0)


def some(scenes: SceneSet, kind: Kind, count: int) -> list[MixedScene]:
    return [scenes.scene(kind, number) for number in range(count)]


def above(samples: npt.NDArray[np.float64], hertz: float) -> npt.NDArray[np.float64]:
    """What lies above a frequency, by a slow filter of its own: 4,001 windowed taps, convolved directly."""
    at = np.arange(-2000, 2001)
    taps = -2 * hertz / RATE * np.sinc(2 * hertz / RATE * at) * np.hamming(len(at))
    taps[2000] += 1.0
    return np.convolve(samples, taps, "same")


def loudest_db(samples: npt.NDArray[np.float64]) -> tuple[int, float]:
    window = RATE // 4
    powers = [float(np.mean(np.square(samples[at : at + window]))) for at in range(0, len(samples) - window + 1, 160)]
    best = int(np.argmax(powers))
    return best * 160, 10 * np.log10(powers[best])


def test_a_scene_depends_on_its_seed_and_number_only(library: Library, clips: list[Clip], scenes: SceneSet) -> None:
    again = SceneSet(library, list(reversed(clips)), "test", LABELS, SECONDS, seed=0)
    other = SceneSet(library, clips, "test", LABELS, SECONDS, seed=1)
    for kind in KINDS:
        one = scenes.scene(kind, 5)
        two = again.scene(kind, 5)
        assert one.samples.tobytes() == two.samples.tobytes()
        assert one.sounds == two.sounds
        assert one.samples.tobytes() != scenes.scene(kind, 6).samples.tobytes()
        assert one.samples.tobytes() != other.scene(kind, 5).samples.tobytes()


class Noises(Library):
    """Clips of whole-number noise: bytes that no machine's sine or decoder has a say in."""

    def __init__(self) -> None:
        self.rate = RATE

    def samples(self, clip: Clip, start: int = 0, stop: int | None = None) -> Floats:
        noise = np.random.default_rng(len(clip.label)).integers(-9000, 9000, 5 * RATE)
        noise[: RATE // 2] //= 64
        return (noise[start:stop] / 32768.0).astype(np.float32)

    def length(self, clip: Clip) -> int:
        return 5 * RATE


def test_the_bytes_are_pinned(clips: list[Clip]) -> None:
    """They hold on every machine; a change has to be meant, for it moves every figure measured before."""
    made = SceneSet(Noises(), clips, "test", LABELS, SECONDS, seed=0)
    digest = hashlib.sha256()
    for kind in KINDS:
        digest.update(made.scene(kind, 0).samples.astype("<i2").tobytes())
    assert digest.hexdigest()[:16] == "ccd1936dd37c566f"


def test_labels_ratios_second_events_and_distractors_take_turns(scenes: SceneSet) -> None:
    made = some(scenes, "target", 48)
    events = [[sound for sound in scene.sounds if sound.role == "event"] for scene in made]
    assert Counter(len(found) for found in events) == {1: 24, 2: 24}
    assert sum(any(sound.role == "distractor" for sound in scene.sounds) for scene in made) == 24
    alone = Counter((found[0].label, found[0].ratio_db) for found in events if len(found) == 1)
    assert alone == {(label, float(ratio)): 2 for label in LABELS for ratio in RATIOS}


def test_the_other_kinds_hold_no_target(scenes: SceneSet) -> None:
    for kind, classes in (("distractor", {"speech"}), ("explosion", {"explosion"})):
        made = some(scenes, kind, 12)  # type: ignore[arg-type]
        assert {sound.label for scene in made for sound in scene.sounds} == classes
        assert {len(scene.sounds) for scene in made} == {1, 2, 3}
        assert all(0.0 <= sound.ratio_db <= 18.0 for scene in made for sound in scene.sounds)


def test_levels_are_as_stated_and_nothing_clips(scenes: SceneSet) -> None:
    for scene in (scene for kind in KINDS for scene in some(scenes, kind, 16)):
        assert BED_LEVELS[0] - 0.01 <= scene.bed_dbfs + scene.turned_down_db <= BED_LEVELS[1] + 0.01
        assert scene.samples.dtype == np.int16
        assert np.abs(scene.samples.astype(int)).max() <= 32_000
        assert scene.turned_down_db == 0.0 or np.abs(scene.samples.astype(int)).max() == 32_000


def test_a_bed_measures_what_it_says(scenes: SceneSet) -> None:
    for scene in some(scenes, "target", 8):
        quiet = np.ones(len(scene.samples), bool)
        for sound in scene.sounds:
            quiet[max(0, sound.onset - RATE // 5) : sound.offset + RATE // 2] = False
        power = np.mean(np.square(scene.samples[quiet] / 32768.0))
        assert 10 * np.log10(power) == pytest.approx(scene.bed_dbfs, abs=0.5)


def alone(made: Sequence[MixedScene]) -> Iterator[tuple[MixedScene, Placed]]:
    for scene in made:
        if len(scene.sounds) == 1:
            yield scene, scene.sounds[0]


def test_the_ratio_can_be_measured_back_from_the_mix(scenes: SceneSet) -> None:
    """Power adds: what the loudest 250 ms hold above the bed's own power is the event's. At 6 dB and more."""
    checked = 0
    for scene, event in alone(some(scenes, "target", 12)):
        samples = above(scene.samples / 32768.0, 100.0)
        stretch = samples[event.onset : max(event.offset, event.onset + RATE // 4)]
        rest = np.concatenate((samples[: event.onset - RATE // 10], samples[event.offset + RATE // 2 :]))
        bed = 10 * np.log10(np.mean(np.square(rest)))
        mixed = loudest_db(stretch)[1] - bed
        if event.ratio_db >= 6.0:
            assert 10 * np.log10(10 ** (mixed / 10) - 1) == pytest.approx(event.ratio_db, abs=0.5)
            checked += 1
    assert checked >= 6


def test_the_truth_is_where_the_energy_is(scenes: SceneSet) -> None:
    for scene, event in alone(some(scenes, "target", 12)):
        if event.ratio_db >= 12.0:
            power = np.square(above(scene.samples / 32768.0, 100.0)).reshape(-1, 160).mean(axis=1)
            first = event.onset // 160
            assert power[first : first + 10].max() > 2.0 * power[first - 50 : first - 6].max(), event
            assert power[first - 6 : first - 1].mean() < 2.0 * power[first - 50 : first - 6].mean(), event


def test_sounds_keep_apart(scenes: SceneSet) -> None:
    for scene in some(scenes, "target", 48):
        for before, after in zip(scene.sounds, scene.sounds[1:], strict=False):
            assert after.onset - before.offset >= RATE


def test_every_sound_says_where_it_comes_from(scenes: SceneSet, clips: list[Clip]) -> None:
    dataset = {clip.path: clip.dataset for clip in clips}
    for scene in (scene for kind in KINDS for scene in some(scenes, kind, 2)):
        assert scene.bed_dataset == dataset[scene.bed] == "made"
        assert [sound.dataset for sound in scene.sounds] == [dataset[sound.clip] for sound in scene.sounds]


def test_no_scene_mixes_sides_of_the_split(scenes: SceneSet, clips: list[Clip]) -> None:
    split = {clip.path: clip.split for clip in clips}
    used = {
        clip
        for kind in KINDS
        for scene in some(scenes, kind, 12)
        for sound in scene.sounds
        for clip in (sound.clip, scene.bed)
    }
    assert {split[path] for path in used} == {"test"}


@pytest.mark.parametrize(("spans", "expected"), [
    ([(0, 5)], [(0, 5)]),
    ([(0, 5), (14, 20)], [(0, 20)]),            # 9 apart
    ([(0, 5), (15, 20)], [(0, 5), (15, 20)]),   # 10 apart are two
    ([(0, 9), (2, 3), (30, 40)], [(0, 9), (30, 40)]),
])  # fmt: skip
def test_joined(spans: list[tuple[int, int]], expected: list[tuple[int, int]]) -> None:
    assert joined(spans, 10) == expected


def test_what_is_missing_is_told(library: Library, clips: list[Clip]) -> None:
    with pytest.raises(AudioError, match="scream: no clips of split 'test'"):
        SceneSet(library, clips, "test", ("scream",), SECONDS, 0)
    few = [clip for clip in clips if clip.label != "explosion"]
    with pytest.raises(AudioError, match="explosion scenes: no clips for them in split 'test'; ask for --explosions 0"):
        SceneSet(library, few, "test", LABELS, SECONDS, 0).scene("explosion", 0)
