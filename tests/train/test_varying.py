"""Switches: each changes the sound and the marks follow; what is off draws no number."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sed.train import varying
from sed.train.clips import Clip
from sed.train.envelope import envelope
from sed.train.library import Library
from sed.train.recipe import BROAD, MEASURING, Recipe
from sed.train.scenes import Mixer
from sed.train.varying import Varying
from tests.train.sounds import RATE, bang, wail

OFF = replace(MEASURING, peak=(-6.0, -6.0))
SOUND = wail(2.0, 1)
SWITCHES = {
    "stretch": replace(OFF, stretch=1.0),
    "pitch": replace(OFF, pitch=1.0),
    "equaliser": replace(OFF, equaliser=1.0),
    "band": replace(OFF, band=1.0, bands=(900.0, 1000.0)),
    "clipping": replace(OFF, clipping=1.0),
    "room": replace(OFF, tone=1.0, room=1.0),
    "simulated": replace(OFF, tone=1.0, room=1.0, simulated=1.0),
}


@pytest.fixture
def few_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(varying, "_ROOMS", 3)


def made(recipe: Recipe, folder: Path) -> Varying:
    return Varying(recipe, RATE, folder)


@pytest.mark.usefixtures("few_rooms")
@pytest.mark.parametrize("name", SWITCHES)
def test_each_switch_changes_the_sound_and_spans_stay_in_it(name: str, tmp_path: Path) -> None:
    for seed in range(3):
        chance = np.random.default_rng(seed)
        samples, spans = made(SWITCHES[name], tmp_path).sound(SOUND, [(100, len(SOUND))], False, chance)
        assert samples.dtype == np.float32
        assert np.isfinite(samples).all()
        assert not np.array_equal(samples[: len(SOUND)], SOUND[: len(samples)])
        assert all(0 <= a < b <= len(samples) for a, b in spans)


@pytest.mark.usefixtures("few_rooms")
@pytest.mark.parametrize("name", SWITCHES)
def test_onsets_stay_under_their_marks(name: str, tmp_path: Path) -> None:
    shot = np.concatenate((np.zeros(RATE // 2, np.float32), bang(0.8, 1)))
    onset = int(0.6 * RATE)
    for seed in range(5):
        samples, spans = made(SWITCHES[name], tmp_path).sound(
            shot, [(onset, len(shot))], False, np.random.default_rng(seed)
        )
        level = envelope(samples, RATE)
        first = int(np.argmax(level > level.max() - 12.0))
        assert first == pytest.approx(spans[0][0] / (RATE / 100), abs=3)  # of 10 ms


def test_what_is_off_draws_no_number(tmp_path: Path) -> None:
    chance, drawn = np.random.default_rng(1), np.random.default_rng(1)
    samples, spans = made(OFF, tmp_path).sound(SOUND, [(0, 10)], True, chance)
    drawn.random(3)  # whether it is faster, drifts, and has another tone
    assert chance.bit_generator.state == drawn.bit_generator.state
    np.testing.assert_array_equal(samples, SOUND)
    assert spans == [(0, 10)]
    made(OFF, tmp_path).captured(SOUND.copy(), chance)
    drawn.random(2)  # the peak, and whether it is overdriven
    assert chance.bit_generator.state == drawn.bit_generator.state
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["noise", "codec", "overdrive"])
def test_a_scene_is_captured_within_full_scale(name: str, tmp_path: Path) -> None:
    plain = made(OFF, tmp_path).captured(SOUND.copy(), np.random.default_rng(2))
    assert np.abs(plain).max() == pytest.approx(10 ** (-6 / 20), rel=1e-4)
    recipe = replace(
        OFF, noise=float(name == "noise"), codec=float(name == "codec"), overdrive=float(name == "overdrive")
    )
    for seed in range(6):
        heard = made(recipe, tmp_path).captured(SOUND.copy(), np.random.default_rng(seed))
        assert heard.shape == SOUND.shape
        assert heard.dtype == np.float32
        assert np.abs(heard).max() <= 1.0
        assert not np.allclose(heard, plain, atol=1e-3)


@pytest.mark.usefixtures("few_rooms")
def test_scenes_with_every_switch_on_are_sound(library: Library, clips: list[Clip]) -> None:
    everything = replace(
        BROAD, simulated=0.5, stretch=0.5, pitch=0.5, equaliser=0.5, band=0.5, clipping=0.5, noise=0.5, codec=0.5
    )
    mixer = Mixer(library, clips, "train", ("siren", "gun_shot"), everything)
    for seed in range(12):
        scene, same = (mixer.scene((1, seed), 5 * RATE) for _ in range(2))
        assert scene.samples.shape == (5 * RATE,)
        assert np.abs(scene.samples).max() <= 1.0
        assert all(0 <= mark.onset < mark.offset <= 5 * RATE for mark in scene.events)
        np.testing.assert_array_equal(scene.samples, same.samples)
