"""What is measured of a clip, against what is known of tones, noise, clicks and silence."""

from pathlib import Path

import numpy as np
import pytest

from sed.errors import AudioError, EarwitnessError
from sed.signals import Floats
from sed.train.sound import Sound, measure
from tests.train.layouts import sound, tone

EULER = 0.5772156649


def heard(folder: Path, samples: Floats, rate: int = 16_000) -> Sound:
    return measure(sound(folder / "a.wav", samples, rate))


def noise(seconds: float = 4.0, rate: int = 16_000) -> Floats:
    return np.asarray(0.1 * np.random.default_rng(3).standard_normal(round(seconds * rate)), np.float32)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100])
@pytest.mark.parametrize("hz", [437.0, 1000.0, 3100.0])
def test_a_tone_is_its_own_centroid_has_no_flatness_and_does_not_change(tmp_path: Path, rate: int, hz: float) -> None:
    found = heard(tmp_path, tone(hz, 2.0, rate), rate)
    assert found.centroid == pytest.approx(hz, rel=0.005)
    assert found.flatness < 1e-3
    assert found.change < 1e-3
    assert (found.rate, found.channels, found.silence, found.flaws) == (rate, 1, 0.0, ())
    assert found.seconds == pytest.approx(2.0)
    assert found.peak == pytest.approx(0.5, abs=0.01)


def test_white_noise(tmp_path: Path) -> None:
    found = heard(tmp_path, noise())
    assert found.centroid == pytest.approx(4000.0, rel=0.02)
    assert found.flatness == pytest.approx(np.exp(-EULER), rel=0.02)
    assert found.change == pytest.approx(2.0 - np.pi / 2.0, rel=0.05)


def test_level_plays_no_part_in_the_spectrum(tmp_path: Path) -> None:
    loud, quiet = (heard(tmp_path, gain * noise()) for gain in (1.0, np.float32(0.1)))
    assert quiet.centroid == pytest.approx(loud.centroid, rel=0.01)
    assert quiet.flatness == pytest.approx(loud.flatness, rel=0.01)


def test_tones_that_take_turns_change_as_much_as_can_be(tmp_path: Path) -> None:
    turns = np.concatenate([tone(hz, 0.032) for hz in (500.0, 4000.0) * 30])
    assert heard(tmp_path, turns).change == pytest.approx(2.0, abs=0.01)


def test_silence_and_where_something_is_heard(tmp_path: Path) -> None:
    samples = np.zeros(32_000, np.float32)
    samples[8_000:16_000] = tone(1000.0)
    found = heard(tmp_path, samples)
    assert found.silence == pytest.approx(0.75)
    assert (found.onset, found.offset) == pytest.approx((0.5, 1.0))
    assert found.centroid == pytest.approx(1000.0, rel=0.01)


def test_nothing_is_near_empty_and_has_no_spectrum(tmp_path: Path) -> None:
    found = heard(tmp_path, np.zeros(16_000, np.float32))
    assert found.flaws == ("near-empty",)
    assert np.isnan([found.centroid, found.flatness, found.change]).all()


def test_a_click_is_too_short_to_change(tmp_path: Path) -> None:
    found = heard(tmp_path, noise(0.02))
    assert found.flaws == ("near-empty",)
    assert np.isnan(found.change)
    assert found.centroid > 0.0


def test_clipped_and_offset(tmp_path: Path) -> None:
    assert heard(tmp_path, np.clip(4 * tone(200.0), -1, 1).astype(np.float32)).flaws == ("clipped",)
    assert heard(tmp_path, tone(200.0) + np.float32(0.02)).flaws == ("offset",)
    spike = tone(200.0)
    spike[100] = 1.0  # one sample at full scale is a peak
    assert heard(tmp_path, spike).flaws == ()


def test_blocks_do_not_matter(tmp_path: Path) -> None:
    long = np.concatenate((noise(10.24), noise(10.24)))  # the blocks are 10.24 s long at 16 kHz
    once, twice = heard(tmp_path, long[: len(long) // 2]), heard(tmp_path, long)
    assert twice.flatness == pytest.approx(once.flatness, rel=1e-3)
    assert twice.seconds == pytest.approx(2 * once.seconds)


def test_a_section_is_a_clip(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.wav", np.concatenate((tone(500.0, 12.0), tone(2000.0, 12.0))))
    found = measure(path, (13.0, 23.5))
    assert found.centroid == pytest.approx(2000.0, rel=0.005)
    assert (found.seconds, found.onset) == pytest.approx((10.5, 0.0))
    with pytest.raises(AudioError, match="ends before 30 s"):
        measure(path, (30.0, 31.0))


def test_the_mean_of_two_channels(tmp_path: Path) -> None:
    found = heard(tmp_path, np.stack((tone(500.0), -tone(500.0)), axis=1))
    assert (found.channels, found.flaws) == (2, ("near-empty",))


@pytest.mark.parametrize("content", [b"", b"<html>", b"RIFF"])
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(EarwitnessError, match=r"a\.wav: "):
        measure(tmp_path / "a.wav")
