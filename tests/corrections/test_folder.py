"""Corrections in a folder: what was in each clip and when, kept over many exports, whatever people say later."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sed.clips.flac import FlacFile
from sed.clips.folder import ClipFolder
from sed.corrections.correction import Correction, corrections
from sed.corrections.folder import Export, export
from sed.errors import UsageError
from sed.evaluate.reference import Sound, read_references
from sed.history.filter import Filter
from sed.history.reader import History
from sed.history.verdicts import Verdicts
from sed.journal import Journal
from sed.message import rfc3339
from sed.signals import Block, new_id
from sed.train.clips import read_clips
from tests.messages import message
from tests.toy import RATE

BEGIN = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
PRE, LONG = 2.0, 6.0
"""Seconds: of a clip before its event, and of all of it."""


class Box:
    """A journal and a folder of clips, as a daemon leaves them."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.journal, self.clips, self.out = journal, ClipFolder(folder / "clips"), folder / "out"
        self.history, self.verdicts = History(journal.path), Verdicts(journal.path)

    def event(self, at: float, said: str = "", label: str = "siren", source: str = "yard", clip: bool = True) -> str:
        """An event of 1.5 s that begins `at` seconds after BEGIN; returns its id."""
        name, onset = new_id(), BEGIN + timedelta(seconds=at)
        for phase in ("start", "end"):
            self.journal.append(message(phase, name, label, source, onset=rfc3339(onset)))
        if clip:
            tags = {"comment": f"id={name} begins={rfc3339(onset - timedelta(seconds=PRE))}"}
            file = FlacFile(self.clips.where / f"{name}.flac", RATE, tags, 0)
            file.append(Block(0, np.zeros(round(LONG * RATE), np.float32)))
            file.finish()
        if said:
            self.say(name, said)
        return name

    def say(self, name: str, said: str) -> None:
        kind, label = (said, None) if said in ("right", "wrong") else ("other", said)
        self.verdicts.give(name, kind, label)

    def export(self) -> Export:
        found = corrections(self.history, self.clips, self.history.walk(Filter(verdict="given")))
        return export([one for one in found if isinstance(one, Correction)], self.history, self.out)

    def rows(self) -> dict[str, dict[str, str]]:
        with (self.out / "clips.csv").open(newline="") as lines:
            return {Path(row["path"]).stem: row for row in csv.DictReader(lines)}

    def scenes(self, folder: str = "") -> dict[str, list[Sound]]:
        return {Path(name).stem: events for name, events in read_references(self.out / folder / "scenes.tsv").items()}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Journal(tmp_path / "journal.db") as journal:
        yield Box(tmp_path, journal)


def test_a_clip_is_of_what_it_was(box: Box) -> None:
    right, wrong = box.event(0, "right"), box.event(100, "wrong")
    horn = box.event(200, "car_horn")
    made = box.export()
    rows = box.rows()
    assert {name: row["class"] for name, row in rows.items()} == {right: "siren", wrong: "background", horn: "car_horn"}
    assert (rows[right]["active_onset"], rows[right]["active_offset"]) == ("2.00", "3.50")
    assert {row["dataset"] for row in rows.values()} == {"corrections"}
    assert (rows[horn]["heard_as"], rows[horn]["verdict"], rows[horn]["score"]) == ("siren", "other", "0.9000")
    assert box.scenes() == {right: [Sound("siren", 2.0, 3.5)], wrong: [], horn: [Sound("car_horn", 2.0, 3.5)]}
    assert all((box.out / clip.path).is_file() for clip in read_clips(box.out))
    assert made.labels == {"siren": 1, "background": 1, "car_horn": 1}


def test_hours_are_kept_apart_and_stay_where_they_are(box: Box) -> None:
    first = [box.event(3_600 * n, "right") for n in range(2)]
    box.export()
    before = {name: row["split"] for name, row in box.rows().items()}
    assert [before[name] for name in first] == ["train", "valid"]
    assert set(box.scenes("valid")) == {first[1]}
    later = box.event(3_601, "right"), box.event(-3_600, "right")
    box.export()
    after = {name: row["split"] for name, row in box.rows().items()}
    assert {name: after[name] for name in first} == before
    assert [after[name] for name in later] == ["valid", "train"]  # as its hour is; and a new hour
    assert (box.out / "valid" / next(iter(read_references(box.out / "valid" / "scenes.tsv")))).is_file()


def test_clips_that_are_gone_meanwhile_stay_exported(box: Box) -> None:
    kept, gone = box.event(0, "wrong"), box.event(4_000, "right")
    box.export()
    (box.clips.where / f"{gone}.flac").unlink()
    box.say(kept, "right")
    assert box.export().labels == {"siren": 2}
    assert box.scenes() == {kept: [Sound("siren", 2.0, 3.5)], gone: [Sound("siren", 2.0, 3.5)]}


def test_a_verdict_that_was_taken_back_is_followed(box: Box) -> None:
    back, other = box.event(0, "wrong"), box.event(4_000, "right")
    box.export()
    box.verdicts.withdraw(back)
    box.export()
    assert set(box.rows()) == set(box.scenes()) == {other}


def test_what_else_sounds_in_a_clip_is_known_or_it_is_not_measured_on(box: Box) -> None:
    first, second = box.event(0, "right"), box.event(2.5, "right", label="gun_shot")
    wrong, unclear = box.event(100, "wrong"), box.event(102, label="gun_shot")
    alone = box.event(200, "wrong")
    elsewhere = box.event(201, source="street")
    made = box.export()
    scenes, rows = box.scenes(), box.rows()
    assert set(scenes) == {first, second, alone}
    assert scenes[first] == [Sound("siren", 2.0, 3.5), Sound("gun_shot", 4.5, 6.0)]
    assert scenes[second] == [Sound("siren", 0.0, 1.0), Sound("gun_shot", 2.0, 3.5)]
    assert (rows[wrong]["suspect"], rows[alone]["suspect"], rows[first]["suspect"]) == ("gun_shot", "", "")
    assert made.unclear == 1
    assert not {unclear, elsewhere} & set(rows)


def test_without_a_clip_there_is_no_correction(box: Box) -> None:
    none, foreign = box.event(0, "right", clip=False), box.event(100, "right")
    (box.clips.where / f"{foreign}.flac").write_bytes(b"fLaC")
    found = list(corrections(box.history, box.clips, box.history.walk()))
    assert [getattr(one, "id", None) for one in found] == [foreign, none]


def test_another_data_set_is_left_alone(box: Box) -> None:
    box.event(0, "right")
    box.out.mkdir()
    (box.out / "clips.csv").write_text("path,class\na.wav,siren\n")
    with pytest.raises(UsageError, match="out: holds another data set; name a folder of its own"):
        box.export()
    assert [path.name for path in box.out.iterdir()] == ["clips.csv"]


def test_a_folder_that_cannot_be_written_is_told(box: Box) -> None:
    box.event(0, "right")
    box.out.touch()
    with pytest.raises(Exception, match=r"out/audio: cannot be written \(not a directory\)") as wrong:
        box.export()
    assert type(wrong.value).__name__ == "SinkError"
