"""The tables of a scan: gone on with, never doubled, never half written, and not mixed with another's."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from sed.archive.engine import Piece, Recording
from sed.archive.ledger import Ledger
from sed.errors import DamagedError, SinkError, UsageError
from tests.archive.scanned import NO_ORDER, detection, outcome

MADE = {"earwitness": "1", "model_sha256": "0" * 64, "rules": {"tone": {"on": 0.5}}, "split": None}


def ledger(folder: Path, **made_with: Any) -> Ledger:
    return Ledger(folder, NO_ORDER, MADE | made_with)


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ds.dataset(folder / table, format="parquet").to_table().to_pylist()
    return found


def files(folder: Path) -> list[str]:
    return [row["file"] for row in rows(folder, "files")]


def test_rows(tmp_path: Path) -> None:
    begins = datetime(2026, 11, 20, 2, 59, 1, tzinfo=UTC)
    with ledger(tmp_path) as book:
        book.add(outcome("a.wav", detection("a.wav", 1.25, level=-20.5), begins=begins))
        book.add(outcome("b.wav", status="timed_out", error="took longer than 5 s"))
    assert rows(tmp_path, "events") == [
        {
            "file": "a.wav", "onset": 1.25, "offset": 1.75, "label": "tone", "score": pytest.approx(0.9),
            "level_dbfs": -20.5, "onset_time": begins.replace(second=2, microsecond=250_000),
            "offset_time": begins.replace(second=2, microsecond=750_000),
        }
    ]  # fmt: skip
    good, bad = rows(tmp_path, "files")
    assert good == {
        "file": "a.wav", "status": "done", "error": None, "duration": 10.0, "sample_rate": 16_000, "channels": 1,
        "bytes": 320_044, "begins": begins, "time_source": "name", "model": "toy", "model_sha256": "0" * 64,
        "seconds_taken": pytest.approx(0.01), "events": 1, "pieces": 1,
    }  # fmt: skip
    assert (bad["status"], bad["error"], bad["begins"]) == ("timed_out", "took longer than 5 s", None)


def test_goes_on_in_another_part(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        book.add(outcome("a.wav", detection("a.wav", 1.0)))
        book.add(outcome("bad.wav", status="failed", error="why"))
    with ledger(tmp_path) as book:
        assert "a.wav" in book.seen
        assert "b.wav" not in book.seen
        assert book.failed == 1
        book.add(outcome("b.wav"))
    assert files(tmp_path) == ["a.wav", "bad.wav", "b.wav"]
    assert [path.name for path in sorted((tmp_path / "files").iterdir())] == [
        "part-000000.parquet",  # the first row, at once
        "part-000001.parquet",
        "part-000002.parquet",
    ]


def test_the_first_row_is_written_at_once_and_others_together(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        book.add(outcome("a.wav"))
        assert files(tmp_path) == ["a.wav"]
        for name in ("b.wav", "c.wav"):
            book.add(outcome(name))
    assert files(tmp_path) == ["a.wav", "b.wav", "c.wav"]
    assert len(list((tmp_path / "files").iterdir())) == 2


def test_what_a_kill_left_is_removed(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        book.add(outcome("a.wav", detection("a.wav", 1.0)))
    part = tmp_path / "events" / "part-000000.parquet"
    (tmp_path / "events" / "part-000001.parquet").write_bytes(part.read_bytes())  # killed between the two tables
    (tmp_path / "files" / "part-000001.parquet.tmp").write_bytes(b"half")
    with ledger(tmp_path) as book:
        book.add(outcome("b.wav", detection("b.wav", 2.0)))
    assert [(row["file"], row["onset"]) for row in rows(tmp_path, "events")] == [("a.wav", 1.0), ("b.wav", 2.0)]
    assert not list(tmp_path.rglob("*.tmp"))


def test_the_events_are_there_before_the_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    real = Path.replace

    def replacing(self: Path, target: Path) -> Path:
        order.append(target.parent.name)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replacing)
    with ledger(tmp_path) as book:
        order.clear()
        book.add(outcome("a.wav", detection("a.wav", 1.0)))
    assert order == ["events", "files"]


@pytest.mark.parametrize(
    ("made_with", "named"),
    [({"model_sha256": "1" * 64}, "model_sha256"), ({"rules": {"tone": {"on": 0.6}}, "split": 60.0}, "rules, split")],
)
def test_another_model_or_rules_are_refused(tmp_path: Path, made_with: dict[str, Any], named: str) -> None:
    ledger(tmp_path).__exit__(None, None, None)
    with pytest.raises(UsageError, match=rf"made with other settings \({named}\)"):
        ledger(tmp_path, **made_with)
    ledger(tmp_path, earwitness="2").__exit__(None, None, None)  # a newer program may go on


def test_one_scan_at_a_time(tmp_path: Path) -> None:
    with ledger(tmp_path), pytest.raises(UsageError, match="another scan writes there"):
        ledger(tmp_path)
    with ledger(tmp_path):
        pass


def test_failures_are_forgotten_with_what_they_found(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        book.add(outcome("a.wav", detection("a.wav", 1.0)))
        book.add(outcome("cut.wav", detection("cut.wav", 2.0), status="failed", error="ends early"))
        book.flush()
        book.add(outcome("late.wav", status="timed_out", error="too long"))
    with ledger(tmp_path) as book:
        assert book.forget_failures() == 2
        assert book.failed == 0
        assert len(book.seen) == 1
        book.add(outcome("cut.wav", detection("cut.wav", 2.0), detection("cut.wav", 5.0)))
    assert files(tmp_path) == ["a.wav", "cut.wav"]
    assert [row["onset"] for row in rows(tmp_path, "events")] == [1.0, 2.0, 5.0]


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    with ledger(tmp_path) as book:
        book.add(outcome(name, detection(name, 1.0)))
    assert files(tmp_path) == ["caf\\xe9.wav"]
    assert rows(tmp_path, "events")[0]["file"] == "caf\\xe9.wav"


def test_pieces_are_counted(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        book.add(replace(outcome("a.wav"), piece=Piece(0, 7, 0, 16_000), recording=Recording("a.wav", None)))
    (row,) = rows(tmp_path, "files")
    assert (row["pieces"], row["bytes"]) == (7, None)


def test_a_damaged_part_is_told(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        book.add(outcome("a.wav"))
    part = tmp_path / "files" / "part-000000.parquet"
    part.write_bytes(part.read_bytes()[:-10])
    with pytest.raises(DamagedError, match=r"part-000000.parquet: cannot be read .* remove it"):
        ledger(tmp_path)
    with pytest.raises(DamagedError):  # and the lock was given back
        ledger(tmp_path)


def test_a_place_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be used"):
        ledger(tmp_path / "file" / "out")


def test_what_cannot_be_written_is_told_and_leaves_no_rest(tmp_path: Path) -> None:
    book = ledger(tmp_path)
    (tmp_path / "files" / "part-000000.parquet").mkdir()
    with pytest.raises(SinkError, match=r"cannot be written \(Is a directory\); .* goes on where it stopped") as told:
        book.add(outcome("a.wav"))
    book.__exit__(SinkError, told.value, None)  # which does not try again
    assert not list(tmp_path.rglob("*.tmp"))


def test_dictionaries_stay_small(tmp_path: Path) -> None:
    with ledger(tmp_path) as book:
        for number in range(500):
            name = f"{number}.wav"
            book.add(outcome(name, *(detection(name, float(n), label=f"label {n % 3}") for n in range(20))))
    assert pq.read_table(tmp_path / "events").num_rows == 10_000
    assert sum(path.stat().st_size for path in (tmp_path / "events").iterdir()) < 100_000
