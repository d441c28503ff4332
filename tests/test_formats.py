"""Event lists, character by character, and what they refuse."""

import io
import json

import pytest

from sed.errors import UsageError
from sed.formats import FORMATS, Detection, open_writer

FOUND = {
    "b.wav": [
        Detection("b.wav", 0.5, 1.25, "siren", 0.98765, -20.04),
        Detection("b.wav", 2.0, 2.1, "gun_shot", 0.5, -6.0),
    ],
    "a.wav": [],
    "c d.wav": [Detection("c d.wav", 1.0, 1.5, "siren", 1.0, -3.0)],
}


def written(name: str, recordings: list[str]) -> str:
    out = io.StringIO()
    writer = open_writer(name, out, len(recordings))
    for recording in recordings:
        writer.write(FOUND[recording])
    writer.close()
    return out.getvalue()


def test_tsv() -> None:
    assert written("tsv", list(FOUND)) == (
        "filename\tonset\toffset\tevent_label\tscore\n"
        "b.wav\t0.500\t1.250\tsiren\t0.9877\n"
        "b.wav\t2.000\t2.100\tgun_shot\t0.5000\n"
        "c d.wav\t1.000\t1.500\tsiren\t1.0000\n"
    )


def test_tsv_without_events_has_its_header() -> None:
    assert written("tsv", ["a.wav"]) == "filename\tonset\toffset\tevent_label\tscore\n"


def test_jsonl() -> None:
    lines = [json.loads(line) for line in written("jsonl", list(FOUND)).splitlines()]
    assert lines[0] == {
        "filename": "b.wav", "onset": 0.5, "offset": 1.25, "label": "siren", "score": 0.9877, "level_dbfs": -20.0,
    }  # fmt: skip
    assert [line["filename"] for line in lines] == ["b.wav", "b.wav", "c d.wav"]


def test_audacity() -> None:
    assert written("audacity", ["b.wav"]) == "0.500000\t1.250000\tsiren 0.99\n2.000000\t2.100000\tgun_shot 0.50\n"


def test_raven() -> None:
    header, *lines = written("raven", list(FOUND)).splitlines()
    assert header.split("\t")[3:6] == ["Begin Time (s)", "End Time (s)", "Begin File"]
    assert [line.split("\t")[0] for line in lines] == ["1", "2", "3"]
    assert lines[2] == "3\tSpectrogram 1\t1\t1.000000\t1.500000\tc d.wav\tsiren\t1.0000"


def test_table() -> None:
    text = written("table", list(FOUND))
    assert text.count("b.wav") == 1
    assert "gun_shot" in text
    assert written("table", ["a.wav"]) == "no events\n"


def test_refusals() -> None:
    with pytest.raises(UsageError, match=f"--format xml: unknown; choose one of {', '.join(FORMATS)}"):
        open_writer("xml", io.StringIO(), 1)
    with pytest.raises(UsageError, match="--format audacity: its labels name no file, got 2 recordings"):
        open_writer("audacity", io.StringIO(), 2)
