"""The synthetic street is what it says it is: format, truth and sound agree, and a seed gives the same bytes."""

import importlib.util
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

SCRIPT = Path(__file__).parents[2] / "examples" / "make_street.py"
BANDS_HZ = {"siren": (500.0, 2000.0), "gun_shot": (300.0, 4000.0), "glass_break": (2000.0, 8000.0)}


def load_script() -> ModuleType:
    """As the demo command does it: by path, without a place in sys.modules."""
    spec = importlib.util.spec_from_file_location("make_street", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


street = load_script()


@pytest.fixture(scope="module")
def wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out: Path = tmp_path_factory.mktemp("street") / "street.wav"
    street.make_street(out)
    return out


def rows(wav: Path) -> list[tuple[str, float, float, str]]:
    lines = wav.with_suffix(".tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "filename\tonset\toffset\tevent_label"
    cells = [line.split("\t") for line in lines[1:]]
    return [(name, float(onset), float(offset), label) for name, onset, offset, label in cells]


def level_db(sound: NDArray[np.float64], start: float, end: float, band_hz: tuple[float, float]) -> float:
    """Mean power between two moments and two frequencies, from a plain windowed spectrum."""
    part = sound[int(start * 16_000) : int(end * 16_000)]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    hz = np.fft.rfftfreq(len(part), 1 / 16_000)
    inside = (hz >= band_hz[0]) & (hz < band_hz[1])
    return float(10 * np.log10(power[inside].sum() / len(part) ** 2))


def test_format_is_what_a_model_hears(wav: Path) -> None:
    info = soundfile.info(wav)
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (16_000, 1, "PCM_16", 45 * 16_000)


def test_it_is_loud_enough_and_never_clips(wav: Path) -> None:
    peak = np.abs(soundfile.read(wav)[0]).max()
    assert 0.25 < peak < 0.95


def test_truth_file_is_what_was_returned(tmp_path: Path) -> None:
    out = tmp_path / "other.wav"
    events = street.make_street(out, seed=3)
    assert rows(out) == [("other.wav", event.onset, event.offset, event.label) for event in events]


def test_every_label_is_there_and_no_two_events_touch(wav: Path) -> None:
    events = rows(wav)
    labels = [label for *_, label in events]
    assert {label: labels.count(label) for label in set(labels)} == {"siren": 2, "gun_shot": 3, "glass_break": 2}
    assert events[0][1] == pytest.approx(3.0, abs=0.1)
    assert all(before[2] + 0.5 < after[1] for before, after in pairwise(events))
    assert events[-1][2] < 45.0


@pytest.mark.parametrize(
    ("label", "shortest", "longest"), [("siren", 6.0, 8.0), ("gun_shot", 0.3, 1.6), ("glass_break", 0.6, 2.2)]
)
def test_durations_are_those_of_the_thing(wav: Path, label: str, shortest: float, longest: float) -> None:
    durations = [offset - onset for _, onset, offset, found in rows(wav) if found == label]
    assert all(shortest <= duration <= longest for duration in durations)


def test_energy_rises_at_each_onset_and_is_gone_after_each_offset(wav: Path) -> None:
    sound, _ = soundfile.read(wav)
    for _, onset, offset, label in rows(wav):
        before = level_db(sound, onset - 1.05, onset - 0.05, BANDS_HZ[label])
        assert level_db(sound, onset, onset + 1.0, BANDS_HZ[label]) > before + 6.0
        assert level_db(sound, offset + 0.05, offset + 0.45, BANDS_HZ[label]) < before + 4.0


def test_onsets_are_sharp_to_50_ms_where_the_sound_is(wav: Path) -> None:
    sound, _ = soundfile.read(wav)
    for _, onset, _, label in rows(wav):
        before = level_db(sound, onset - 0.06, onset - 0.01, BANDS_HZ[label])
        assert level_db(sound, onset, onset + 0.05, BANDS_HZ[label]) > before + 3.0


def test_a_passing_tone_falls_as_doppler_says() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(4 * street.FINE) / street.FINE)
    heard = street.drive_by(tone, lateral=1.0, speed=20.0, closest=2.0)
    spectrum = [np.abs(np.fft.rfft(heard[start : start + 8000])) for start in (8000, 16_000 * 3)]
    coming, going = (float(np.argmax(part)) * 2.0 for part in spectrum)
    assert coming == pytest.approx(1000 / (1 - 20 / 343), abs=3.0)
    assert going == pytest.approx(1000 / (1 + 20 / 343), abs=3.0)


def test_a_seed_gives_the_same_bytes_and_another_seed_another_street(wav: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "street.wav", tmp_path / "other.wav"
    street.make_street(again)
    street.make_street(other, seed=1)
    assert again.read_bytes() == wav.read_bytes()
    assert again.with_suffix(".tsv").read_bytes() == wav.with_suffix(".tsv").read_bytes()
    assert other.read_bytes() != wav.read_bytes()
