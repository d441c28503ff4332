"""Long recordings in pieces: joined, they are what the whole is, wherever they are cut, in whatever order they come."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sed.archive.engine import Job, Order, Outcome, Piece, Recording
from sed.archive.pieces import Seams, cut
from sed.archive.worker import prepare, work
from sed.formats import Detection
from sed.metadata import Metadata, Rule
from tests.archive.scanned import toy_order
from tests.toy import bursts, metadata, write_toy

SECONDS = 20.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pieces")


@pytest.fixture(scope="module")
def order(folder: Path) -> Order:
    rule = Rule(on=0.5, off=0.3, min_duration=0.2, max_gap=0.4, max_rise=0.2, cooldown=0.3, median=3)
    return replace(toy_order(folder), rules={"tone": rule}, warm_up=0.5)


def meta(order: Order) -> Metadata:
    return prepare(order).metadata


def done(path: Path, order: Order, piece: Piece | None = None) -> Outcome:
    return work(Job(0, (Recording(str(path)),), piece), order).outcomes[0]


def joined(outcomes: list[Outcome], order: Order) -> Outcome:
    seams = Seams(outcomes[0].recording.name, meta(order), order)
    *early, last = [seams.add(outcome) for outcome in outcomes]
    assert early == [None] * len(early)
    assert last is not None
    return last


def spans(found: tuple[Detection, ...]) -> list[tuple[float, float]]:
    return [(round(one.onset, 3), round(one.offset, 3)) for one in found]


edges = st.lists(st.floats(0.1, SECONDS - 0.1), max_size=12, unique=True).map(sorted)


@given(
    edges=edges,
    size=st.floats(0.5, 15.0),
    rate=st.sampled_from([8_000, 16_000, 22_050, 44_100]),
    kind=st.sampled_from(["WAV", "FLAC"]),
    data=st.data(),
)
@settings(max_examples=20)
def test_any_cut_equals_the_whole(
    folder: Path, order: Order, edges: list[float], size: float, rate: int, kind: str, data: st.DataObject
) -> None:
    spans_of_sound = list(zip(edges[::2], edges[1::2], strict=False))
    path = folder / "any.audio"
    soundfile.write(path, bursts(*spans_of_sound, seconds=SECONDS, rate=rate), rate, format=kind, subtype="PCM_16")
    pieces = cut(round(SECONDS * rate), rate, size, meta(order))
    outcomes = data.draw(st.permutations([done(path, order, piece) for piece in pieces]))
    whole, again = done(path, order), joined(list(outcomes), order)
    assert spans(again.detections) == spans(whole.detections)
    levels = [(one.level_dbfs, one.score) for one in again.detections]
    np.testing.assert_allclose(levels, [(one.level_dbfs, one.score) for one in whole.detections], atol=1e-4)
    assert again.duration == pytest.approx(whole.duration, abs=0.01)


@given(
    frames=st.integers(1, 10**9),
    rate=st.sampled_from([8_000, 11_025, 22_050, 44_100, 96_000]),
    seconds=st.floats(10.0, 1e5),
)
def test_pieces_follow_each_other_on_whole_samples_and_rows(
    order: Order, frames: int, rate: int, seconds: float
) -> None:
    model = meta(order)
    pieces = cut(frames, rate, seconds, model)
    assert (pieces[0].start, pieces[-1].end) == (0, None)
    assert all(before.end == after.start for before, after in pairwise(pieces))
    for piece in pieces:
        assert piece.of == len(pieces)
        assert piece.start % model.hop == 0
        assert piece.start * rate % model.frontend.sample_rate == 0
        assert piece.start < frames / rate * model.frontend.sample_rate


def test_an_event_over_every_seam_is_one(folder: Path, order: Order) -> None:
    path = folder / "long.wav"
    soundfile.write(path, bursts((2.0, 18.0), seconds=SECONDS), 16_000)
    pieces = cut(320_000, 16_000, 2.0, meta(order))
    assert len(pieces) == 10
    found = joined([done(path, order, piece) for piece in pieces], order).detections
    assert spans(found) == spans(done(path, order).detections)
    assert len(found) == 1


def test_the_warm_up_gives_the_model_its_memory(folder: Path, order: Order) -> None:
    model = write_toy(folder / "hasty.onnx", metadata(look_ahead=0)).read_bytes()
    warm = replace(order, model=model, model_sha256="hasty")
    path, cold = folder / "loud.wav", replace(warm, warm_up=0.0)
    soundfile.write(path, bursts((0.0, SECONDS), seconds=SECONDS), 16_000)
    piece = cut(320_000, 16_000, 10.0, meta(order))[1]
    with_memory, without = done(path, warm, piece).part, done(path, cold, piece).part
    assert with_memory is not None
    assert without is not None
    assert abs(with_memory.scores[0] - without.scores[0]).max() > 0.05
    np.testing.assert_allclose(with_memory.scores[5:], without.scores[5:], atol=1e-5)


def test_a_recording_that_breaks_off_keeps_what_was_before(folder: Path, order: Order) -> None:
    sound = bursts((2.0, 3.0), (9.0, 11.0), (15.0, 16.0), seconds=SECONDS)
    sound[10 * 16_000] = np.nan
    path = folder / "nan.wav"
    soundfile.write(path, sound, 16_000, subtype="FLOAT")
    pieces = [done(path, order, piece) for piece in cut(320_000, 16_000, 4.0, meta(order))]
    whole = joined(pieces, order)
    assert (whole.status, whole.error) == ("failed", "sample 160000 (10.000 s) is not a number")
    assert spans(whole.detections) == spans(done(path, order).detections)
    assert whole.duration == pytest.approx(10.0, abs=1.0)


def test_a_piece_that_killed_its_worker_ends_the_recording(folder: Path, order: Order) -> None:
    path = folder / "killer.wav"
    soundfile.write(path, bursts((2.0, 3.0), (15.0, 16.0), seconds=SECONDS), 16_000)
    pieces = [done(path, order, piece) for piece in cut(320_000, 16_000, 5.0, meta(order))]
    pieces[1] = replace(pieces[1], status="crashed", error="its worker died", part=None, duration=0.0)
    whole = joined(pieces, order)
    assert (whole.status, whole.error, len(whole.detections)) == ("crashed", "its worker died", 1)


def test_a_file_that_ends_early_says_so(folder: Path, order: Order) -> None:
    path = folder / "short.wav"
    soundfile.write(path, bursts((2.0, 3.0), seconds=SECONDS), 16_000)
    path.write_bytes(path.read_bytes()[:-100_000])
    pieces = [done(path, order, piece) for piece in cut(270_000, 16_000, 5.0, meta(order))]
    whole = joined(pieces, order)
    assert whole.status == "failed"
    assert "the data ends early" in str(whole.error)
    assert len(whole.detections) == 1
