"""When recordings began: names as recorders give them, headers as they write them, and formats that people say."""

import re
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.archive.moment import commented, formatted, moment, named, pattern, zone
from sed.errors import UsageError
from sed.source.file import AudioFile
from tests.archive.scanned import NO_ORDER

THEN = datetime(2026, 11, 20, 2, 59, 1)
UTC_THEN = THEN.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "began"),
    [
        ("20261120_025901.WAV", THEN),  # AudioMoth, and most others
        ("/mnt/site 3/20261120_025901T.WAV", THEN),  # AudioMoth, triggered
        ("SM4_20261120_025901.wav", THEN),  # Song Meter
        ("S4A01234_20261120_025901.wav", THEN),  # Song Meter Mini
        ("20261120T025901Z.flac", UTC_THEN),
        ("turdus_merula_87p_20261120T025901Z.wav", UTC_THEN),  # BirdNET-Go
        ("Blackbird-87-2026-11-20-birdnet-02:59:01.wav", THEN),  # BirdNET-Pi
        ("Blackbird-87-2026-11-20-birdnet-RTSP_1-02:59:01.wav", THEN),
        ("2026-11-20T02-59-01Z.opus", UTC_THEN),
        ("2026-11-20T02:59:01.250+01:00.wav", THEN.replace(microsecond=250_000, tzinfo=timezone(timedelta(hours=1)))),
        ("yard_2026-11-20_02-59-01_siren.wav", THEN),
        ("2026-11-20 02.59.01.m4a", THEN),
        ("REC_20261120025901.mp3", THEN),
        ("20261119_000000_to_20261120_025901.wav", THEN),  # the last one counts
        ("gate-20261120_025901+0100.wav", THEN.replace(tzinfo=timezone(timedelta(hours=1)))),
        ("s3://bucket/2026/20261120_025901.wav", THEN),
        ("zip://in/20261120_025901.wav::file:///all_20200101_000000.zip", THEN),
        ("5E90A4D4.WAV", datetime(2020, 4, 10, 16, 54, 44, tzinfo=UTC)),  # the first AudioMoths
        ("20261120_025901/take1.wav", None),  # of a folder, which may be a day's
        ("take_12345678_123456.wav", None),
        ("20261340_025901.wav", None),
        ("20261120_256101.wav", None),
        ("120261120_025901.wav", None),
        ("siren.wav", None),
    ],
)
def test_names(name: str, began: datetime | None) -> None:
    assert named(name) == began


@pytest.mark.parametrize(
    ("comment", "began"),
    [
        ("label=siren begins=2026-11-20T02:59:01.000Z node=gate", UTC_THEN),
        ("Recorded at 02:59:01 20/11/2026 (UTC) by AudioMoth 24F3190361CBE9F5 at medium gain", UTC_THEN),
        ("Recorded at 04:59:01 20/11/2026 (UTC+2) by AudioMoth 24F3190361CBE9F5", UTC_THEN),
        ("Recorded at 23:29:01 19/11/2026 (UTC-3:30) by AudioMoth 24F3190361CBE9F5", UTC_THEN),
        ("Recorded at 02:59:01.500 20/11/2026 (UTC) by", UTC_THEN.replace(microsecond=500_000)),
        ("Recorded at home", None),
        ("begins=soon", None),
        ("", None),
    ],
)
def test_comments(comment: str, began: datetime | None) -> None:
    assert commented(comment) == began


@pytest.mark.parametrize(
    ("name", "time_format", "began"),
    [
        ("ZOOM/201126-025901.wav", "%d%m%y-%H%M%S", datetime(2026, 11, 20, 2, 59, 1)),
        ("2026/11/20/025901-gate.wav", "%Y/%m/%d/%H%M%S", THEN),
        ("take_20Nov2026_0259.wav", "%d%b%Y_%H%M", THEN.replace(second=0)),
        ("2026-324.wav", "%Y-%j", datetime(2026, 11, 20)),
        ("a(1) 2026+11+20.wav", "%Y+%m+%d", datetime(2026, 11, 20)),
        ("x_20261120_025901+0200.wav", "%Y%m%d_%H%M%S%z", THEN.replace(tzinfo=timezone(timedelta(hours=2)))),
        ("20261399.wav", "%Y%m%d", None),
        ("take1.wav", "%Y%m%d", None),
    ],
)
def test_formats(name: str, time_format: str, began: datetime | None) -> None:
    assert formatted(name, time_format) == began


@pytest.mark.parametrize(
    ("time_format", "complaint"),
    [("%Q", "%Q is not known"), ("%H%M", "needs a year at least"), ("2026", "needs a year"), ("%Y%", "needs a year")],
)
def test_a_format_that_cannot_work(time_format: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"--time-format {time_format}: {complaint}")):
        pattern(time_format)


def test_zones() -> None:
    assert zone("utc") is UTC
    assert datetime(2026, 7, 1, tzinfo=zone("Europe/Berlin")).utcoffset() == timedelta(hours=2)
    for wrong in ("Mars/Base", "", "../etc/passwd"):
        with pytest.raises(UsageError, match="--timezone"):
            zone(wrong)


def recording(path: Path, comment: str = "", originated: str = "") -> Path:
    with soundfile.SoundFile(path, "w", 16_000, 1, "PCM_16", format="WAV") as file:
        if comment:
            file.comment = comment
        file.write(np.zeros(1_600))
    if originated:  # a Broadcast Wave chunk (EBU Tech 3285), before the samples
        chunk = b"".join([bytes(256 + 32 + 32), originated.encode(), struct.pack("<QH", 0, 1), bytes(254)])
        content = path.read_bytes()
        at = content.index(b"data")
        content = content[:at] + b"bext" + struct.pack("<I", len(chunk)) + chunk + content[at:]
        path.write_bytes(content[:4] + struct.pack("<I", len(content) - 8) + content[8:])
    return path


def said(path: Path, name: str | None = None, **order: str) -> tuple[datetime | None, str | None]:
    with AudioFile(path) as file:
        return moment(file, name or path.name, replace(NO_ORDER, **order))  # type: ignore[arg-type]


def test_what_goes_first(tmp_path: Path) -> None:
    ours = "begins=2026-11-20T02:59:01Z"
    both = recording(tmp_path / "20250101_000000.wav", comment=ours, originated="2024-01-0100:00:00")
    assert said(both) == (UTC_THEN, "header")
    assert said(both, time_format="%Y%m%d_%H%M%S") == (datetime(2025, 1, 1, tzinfo=UTC), "format")
    assert said(both, time_format="%Y-%m-%d") == (None, None)
    edited = recording(tmp_path / "20250102_000000.wav", originated="2024-01-0100:00:00")
    assert said(edited) == (datetime(2025, 1, 2, tzinfo=UTC), "name")


def test_broadcast_wave(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav", originated="2026-11-2002:59:01")
    assert said(path, timezone="Europe/Berlin") == (UTC_THEN - timedelta(hours=1), "header")
    assert said(recording(tmp_path / "b.wav", originated="2026:11:2002:59:01")) == (None, None)
    assert said(recording(tmp_path / "c.wav")) == (None, None)


def test_a_zone_is_for_times_that_name_none(tmp_path: Path) -> None:
    path = recording(tmp_path / "a.wav")
    assert said(path, "20260701_120000.wav", timezone="Europe/Berlin") == (datetime(2026, 7, 1, 10, tzinfo=UTC), "name")
    assert said(path, "20260701_120000Z.wav", timezone="Europe/Berlin") == (
        datetime(2026, 7, 1, 12, tzinfo=UTC),
        "name",
    )


def test_a_clock_that_was_never_set_says_nothing(tmp_path: Path) -> None:
    assert said(recording(tmp_path / "19700101_000012.wav")) == (None, None)
