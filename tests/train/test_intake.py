"""Clips taken in: what is filtered, what is left out, and sections cut to files of their own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.errors import EarwitnessError, UsageError
from sed.train.intake import check_target, present, take_in, wanted
from sed.train.layouts import layout_of, rows_of
from sed.train.manifest import Row
from tests.train import layouts
from tests.train.layouts import sound, tone

ROW = Row("a.wav", ("siren",), licence="CC0")


def test_filters() -> None:
    rows = [ROW, replace(ROW, licence=""), replace(ROW, suspect="gun_shot")]
    assert len(wanted(rows, "open", suspects=True)) == 2
    assert len(wanted(rows, "open", suspects=False)) == 1
    assert len(wanted(rows, None, suspects=False)) == 2


@pytest.mark.parametrize(("rows", "licence", "message"), [
    ([ROW], "free", "--licence free: need one of open, noncommercial, unknown"),
    ([replace(ROW, licence="CC BY-NC")], "open", "leaves no clip; there are 0 open, 1 noncommercial, 0 unknown"),
    ([replace(ROW, suspect="siren")], None, "--without-suspects: leaves no clip"),
])  # fmt: skip
def test_filters_that_leave_nothing(rows: list[Row], licence: str | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        wanted(rows, licence, suspects=False)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    folder = layouts.catalogue(tmp_path)
    with pytest.raises(UsageError, match=r"has a clips\.csv already \(the data set's own\)"):
        check_target(folder, folder)
    with pytest.raises(UsageError, match="need a folder, this is a file"):
        check_target(folder, folder / "a.wav")
    check_target(folder, tmp_path / "new")


def test_absent_files(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    there, gone = present([ROW, replace(ROW, path="b.wav")], tmp_path)
    assert [row.path for row in there] == ["a.wav"]
    assert [row.path for row in gone] == ["b.wav"]


def test_what_is_heard_is_written_down(tmp_path: Path) -> None:
    samples = np.concatenate((np.zeros(4_000, np.float32), tone(1000.0), np.zeros(4_000, np.float32)))
    sound(tmp_path / "set/a.wav", samples)
    (row,) = take_in([ROW], tmp_path / "set", tmp_path / "out")
    assert isinstance(row, Row)
    assert row.path == "../set/a.wav"
    assert (row.onset, row.offset) == pytest.approx((0.25, 0.75))
    assert row.more == {"duration": "1.000", "original_rate": "16000"}


def test_what_is_known_already_is_kept(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    known = replace(ROW, onset=0.1, offset=0.2, more={"original_rate": "8000"})
    (row,) = take_in([known], tmp_path, tmp_path / "out")
    assert isinstance(row, Row)
    assert (row.onset, row.offset, row.more["original_rate"]) == (0.1, 0.2, "8000")


def test_clips_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    sound(tmp_path / "silent.wav", np.zeros(8_000, np.float32))
    (tmp_path / "broken.wav").write_text("<html>")
    rows = [replace(ROW, path=f"{name}.wav") for name in ("silent", "broken")]
    silent, broken = take_in(rows, tmp_path, tmp_path / "out")
    assert isinstance(silent, EarwitnessError)
    assert "silent.wav: nothing to hear in it; left out" in str(silent)
    assert "broken.wav: not a recording that can be read" in str(broken)


def test_sections_become_files(tmp_path: Path) -> None:
    folder = layouts.desed(tmp_path / "desed")
    rows = rows_of(folder, layout_of(folder))
    siren = next(row for row in rows if row.label == "Siren")
    (taken,) = take_in([siren], folder, tmp_path / "out")
    assert isinstance(taken, Row)
    assert taken.path == "audio/Siren/Y00pbt6aJV8Y_350.000_360.000-500-2000.flac"
    assert (taken.group, taken.section) == ("youtube-00pbt6aJV8Y", None)
    samples, rate = soundfile.read(tmp_path / "out" / taken.path, dtype="float32")
    whole, _ = soundfile.read(folder / siren.path, dtype="float32")
    assert rate == 16_000
    np.testing.assert_allclose(samples, whole[8_000:32_000], atol=1e-4)
