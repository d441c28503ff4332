"""Mixtures: seeded, on one side of the split, their marks where the energy is."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sed.signals import Floats
from sed.train.clips import Clip, read_clips
from sed.train.envelope import envelope
from sed.train.library import Library
from sed.train.marks import Mark, merged
from sed.train.recipe import MEASURING, TRAINING, VARIED, Recipe, Split
from sed.train.scenes import Mixer

RATE = 16_000
LABELS = ("siren", "gun_shot", "glass_break")
COUNT = 10 * RATE
LOUD = replace(MEASURING, events=(0.0, 1.0), distractors=(1.0,), event_to_bed=(30.0, 30.0))


class Watched(Library):
    """A library that remembers whose samples were taken."""

    def samples(self, clip: Clip, start: int = 0, stop: int | None = None) -> Floats:
        self.__dict__.setdefault("taken", []).append(clip)
        return super().samples(clip, start, stop)


def mixer(library: Library, clips: Sequence[Clip], split: Split = "train", recipe: Recipe = TRAINING) -> Mixer:
    return Mixer(library, clips, split, LABELS, recipe)


def test_the_same_seed_gives_the_same_scene(library: Library, clips: list[Clip]) -> None:
    for seed in range(12):
        one, two = (mixer(library, clips).scene((3, seed), COUNT) for _ in range(2))
        np.testing.assert_array_equal(one.samples, two.samples)
        assert one.events == two.events
        assert one.doubts == two.doubts


def test_seeds_differ(library: Library, clips: list[Clip]) -> None:
    made = mixer(library, clips)
    assert not np.array_equal(made.scene((3, 1), COUNT).samples, made.scene((3, 2), COUNT).samples)


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_no_scene_mixes_sides_of_the_split(data: Path, clips: list[Clip], cache: Path, split: Split) -> None:
    watched = Watched(data, clips, RATE, cache)
    made = mixer(watched, clips, split)
    for seed in range(40):
        made.scene((0, seed), COUNT)
    taken: list[Clip] = watched.__dict__["taken"]
    assert {clip.split for clip in taken} == {split}
    assert not any(clip.suspect for clip in taken)


def test_marks_lie_where_the_energy_is(library: Library, clips: list[Clip]) -> None:
    made = mixer(library, clips, recipe=LOUD)
    for seed in range(30):
        scene = made.scene((1, seed), COUNT)
        level = envelope(scene.samples, RATE)
        for mark in scene.events:
            inside = level[mark.onset // 160 : mark.offset // 160]
            before = level[max(0, mark.onset // 160 - 20) : mark.onset // 160 - 1]
            assert inside.max() > before.max() + 6.0, (seed, mark)
            assert inside[:4].max() > before.max() + 3.0, (seed, mark)


@pytest.mark.parametrize("recipe", [TRAINING, VARIED])
def test_scenes_are_sound_within_full_scale(library: Library, clips: list[Clip], recipe: Recipe) -> None:
    made = mixer(library, clips, recipe=recipe)
    for seed in range(60):
        scene = made.scene((2, seed), COUNT)
        assert scene.samples.dtype == np.float32
        assert scene.samples.shape == (COUNT,)
        assert np.abs(scene.samples).max() <= 1.0
        assert all(0 <= mark.onset < mark.offset <= COUNT for mark in scene.events)


def test_a_scene_of_files_can_begin_with_an_event(library: Library, clips: list[Clip]) -> None:
    made = mixer(library, clips, recipe=replace(TRAINING, alone=1.0))
    onsets = [mark.onset for seed in range(40) for mark in made.scene((4, seed), COUNT).events]
    assert min(onsets) == 0


def test_an_explosion_leaves_a_doubt_about_shots(library: Library, clips: list[Clip]) -> None:
    only = [clip for clip in clips if clip.label in {"explosion", "background", *LABELS}]
    made = mixer(library, only, recipe=replace(MEASURING, distractors=(0.0, 1.0)))
    doubts = [mark for seed in range(30) for mark in made.scene((5, seed), COUNT).doubts]
    assert {(mark.label, mark.certainty) for mark in doubts} == {("gun_shot", 0.3)}


def test_doubtful_sounds_can_be_made_surer(library: Library, clips: list[Clip]) -> None:
    only = [clip for clip in clips if clip.label in {"explosion", "background", *LABELS}]
    made = mixer(library, only, recipe=replace(MEASURING, distractors=(0.0, 1.0), certainty=0.5))
    doubts = [mark for seed in range(30) for mark in made.scene((5, seed), COUNT).doubts]
    assert {(mark.label, round(mark.certainty, 3)) for mark in doubts} == {("gun_shot", 0.548)}


def test_an_abrupt_scene_begins_with_its_first_event(library: Library, clips: list[Clip]) -> None:
    made = mixer(library, clips, recipe=replace(LOUD, abrupt=1.0))
    assert {made.scene((6, seed), COUNT).events[0].onset for seed in range(20)} == {0}


def test_a_far_siren_is_dull_and_stands_little_over_the_bed(library: Library, clips: list[Clip]) -> None:
    only = [clip for clip in clips if clip.label in {"siren", "background"}]
    near, far = (Mixer(library, only, "train", ("siren",), replace(LOUD, far=share)) for share in (0.0, 1.0))
    assert _over_the_bed(near) > 20.0
    assert -10.0 < _over_the_bed(far) < 10.0


def _over_the_bed(made: Mixer) -> float:
    """The median over scenes of the events' RMS against that of the rest, dB."""
    found: list[float] = []
    for seed in range(10):
        scene = made.scene((8, seed), COUNT)
        mark = scene.events[0]
        inside = scene.samples[mark.onset : mark.offset]
        rest = np.concatenate((scene.samples[: mark.onset], scene.samples[mark.offset :]))
        found.append(float(10.0 * np.log10(np.mean(inside**2) / np.mean(rest**2))))
    return float(np.median(found))


def test_a_drum_machine_is_no_event_and_no_doubt(library: Library, clips: list[Clip]) -> None:
    silent = replace(MEASURING, events=(1.0,), distractors=(1.0,))
    played = replace(silent, distractors=(0.0, 1.0), drums=1.0)
    quiet, beat = (mixer(library, clips, recipe=recipe).scene((9, 3), COUNT) for recipe in (silent, played))
    assert not np.array_equal(quiet.samples, beat.samples)
    assert beat.events == beat.doubts == ()


def test_even_classes_are_drawn_alike(library: Library, clips: list[Clip]) -> None:
    watched = Watched.__new__(Watched)
    watched.__dict__.update(library.__dict__)
    recipe = replace(MEASURING, events=(1.0,), distractors=(0.0, 1.0), quiet_bed=1.0, even=1.0)
    made = Mixer(watched, clips, "train", ("gun_shot",), recipe)
    for seed in range(60):
        made.scene((10, seed), COUNT)
    taken: list[Clip] = watched.__dict__["taken"]
    assert {clip.label for clip in taken} >= {"background", "explosion", "speech"}


def test_close_marks_of_one_label_are_one() -> None:
    marks = [
        Mark("gun_shot", 9000, 9100),
        Mark("siren", 0, 500),
        Mark("gun_shot", 0, 8000),
        Mark("gun_shot", 40_000, 41_000),
    ]
    joined = [Mark("siren", 0, 500), Mark("gun_shot", 0, 9100), Mark("gun_shot", 40_000, 41_000)]
    assert sorted(merged(marks, RATE), key=lambda m: (m.onset, -len(m.label), m.label)) == sorted(
        joined, key=lambda m: (m.onset, -len(m.label), m.label)
    )


def test_marks_lie_where_the_energy_of_real_sounds_is(real: Path, tmp_path: Path) -> None:
    valid = [clip for clip in read_clips(real) if clip.split == "valid" and clip.realism == "recording"]
    few = [clip for label in (*LABELS, "background") for clip in [c for c in valid if c.label == label][:6]]
    made = mixer(Library(real, few, RATE, tmp_path), few, "valid", LOUD)
    louder = []
    for seed in range(30):
        scene = made.scene((6, seed), COUNT)
        level = envelope(scene.samples, RATE)
        for mark in scene.events:
            first = mark.onset // 160
            louder.append(level[first : first + 30].max() - level[max(0, first - 50) : max(1, first - 1)].max())
    assert len(louder) >= 20
    assert np.median(louder) > 6.0


def test_extra_labels_are_marked_where_they_sound(library: Library, clips: list[Clip]) -> None:
    recipe = replace(MEASURING, events=(1.0,), distractors=(0.0, 1.0), event_to_bed=(30.0, 30.0), extra=1.0)
    made = Mixer(library, clips, "train", LABELS, recipe, extra=("explosion",))
    marked = 0
    for seed in range(30):
        scene = made.scene((5, seed), COUNT)
        level = envelope(scene.samples, RATE)
        marked += len(scene.extras)
        for mark in scene.extras:
            assert mark.label == "explosion"
            assert level[mark.onset // 160 : mark.offset // 160].max() > np.median(level) + 20.0, (seed, mark)
    assert marked > 20


def test_a_bed_of_an_extra_label_is_marked_whole(library: Library, clips: list[Clip]) -> None:
    recipe = replace(MEASURING, events=(1.0,), distractors=(1.0,), layered=1.0)
    scene = Mixer(library, clips, "train", LABELS, recipe, extra=("speech",)).scene((0, 1), COUNT)
    assert {(mark.label, mark.onset, mark.offset) for mark in scene.extras} <= {("speech", 0, COUNT)}
    assert scene.samples.shape == (COUNT,)


def test_extra_labels_alone_change_no_sound(library: Library, clips: list[Clip]) -> None:
    plain = mixer(library, clips)
    marked = Mixer(library, clips, "train", LABELS, TRAINING, extra=("explosion", "speech"))
    for seed in range(10):
        one, two = (each.scene((6, seed), COUNT) for each in (plain, marked))
        np.testing.assert_array_equal(one.samples, two.samples)
        assert one.events == two.events


def test_auxiliary_classes_are_marked_and_drawn_no_more_often(library: Library, clips: list[Clip]) -> None:
    recipe = replace(MEASURING, events=(1.0,), distractors=(0.0, 1.0), event_to_bed=(30.0, 30.0), extra=1.0)
    plain, marked = (Mixer(library, clips, "train", LABELS, recipe, ("speech",), more) for more in ((), ("explosion",)))
    for seed in range(10):
        one, two = (each.scene((5, seed), COUNT) for each in (plain, marked))
        np.testing.assert_array_equal(one.samples, two.samples)
        assert {mark.label for mark in one.extras} <= {"speech"}
    often = Mixer(library, clips, "train", LABELS, replace(recipe, extra=0.0), (), ("explosion",))
    assert {mark.label for seed in range(30) for mark in often.scene((5, seed), COUNT).extras} == {"explosion"}


def test_a_textured_bed_is_no_recording(data: Path, clips: list[Clip], cache: Path) -> None:
    watched = Watched(data, clips, RATE, cache)
    quiet = replace(MEASURING, events=(1.0,), distractors=(1.0,))
    recipes = replace(quiet, texture=1.0), replace(quiet, overlay=1.0)
    scenes = [mixer(watched, clips, recipe=recipe).scene((2, 1), COUNT).samples for recipe in recipes]
    assert {clip.label for clip in watched.__dict__["taken"]} <= {"background", "music", "speech"}
    plain = mixer(watched, clips, recipe=quiet).scene((2, 1), COUNT).samples
    assert not any(np.array_equal(scene, plain) for scene in scenes)
    taken = len(watched.__dict__["taken"])
    mixer(watched, clips, recipe=replace(quiet, texture=1.0)).scene((2, 2), COUNT)
    assert len(watched.__dict__["taken"]) == taken


def test_made_sounds_are_no_events(library: Library, clips: list[Clip]) -> None:
    recipe = replace(MEASURING, events=(1.0,), distractors=(0.0, 0.0, 1.0), made=1.0, event_to_bed=(30.0, 30.0))
    scene = mixer(library, clips, recipe=recipe).scene((2, 3), COUNT)
    assert (scene.events, scene.doubts, scene.extras) == ((), (), ())
    assert np.ptp(envelope(scene.samples, RATE)) > 20.0


def test_beds_of_busy_classes_are_laid_where_they_are_asked_for(data: Path, clips: list[Clip], cache: Path) -> None:
    watched = Watched(data, [replace(clip, label="typing") for clip in clips if clip.label == "speech"], RATE, cache)
    busy = replace(MEASURING, events=(1.0,), distractors=(1.0,), busy=6.0)
    typing = [replace(clip, label="typing") for clip in clips if clip.label == "speech"]
    mixer(watched, typing, recipe=busy).scene((2, 1), COUNT)
    assert {clip.label for clip in watched.__dict__["taken"]} == {"typing"}


def test_made_sirens_are_marked_whole(data: Path, clips: list[Clip], cache: Path) -> None:
    watched = Watched(data, clips, RATE, cache)
    made = Mixer(watched, clips, "train", ("siren",), replace(LOUD, synthetic=1.0))
    for seed in range(6):
        scene = made.scene((4, seed), COUNT)
        (mark,) = scene.events
        assert mark.label == "siren"
        assert mark.offset == COUNT or mark.offset - mark.onset >= 2 * RATE
        level = envelope(scene.samples, RATE)
        assert np.median(level[mark.onset // 160 : mark.offset // 160]) > np.percentile(level, 10.0) + 6.0
    assert not any(clip.label == "siren" for clip in watched.__dict__["taken"])
