"""A whole scan in this process: answers in any order, names given twice, and stopping."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest
import soundfile

from sed.archive.engine import Done, Job, Order, Outcome, Recording
from sed.archive.ledger import Ledger
from sed.archive.scan import ArchiveScan
from sed.archive.worker import prepare, work
from tests.archive.scanned import toy_order
from tests.toy import RATE, bursts


class OutOfOrder:
    """An engine of one thread that answers in any order, out of so many jobs that it holds."""

    def __init__(self, seed: int, window: int = 6) -> None:
        self._random, self._window = random.Random(seed), window

    def run(self, jobs: Iterable[Job], order: Order) -> Iterator[Done]:
        held: list[Job] = []
        for job in jobs:
            held.append(job)
            if len(held) == self._window:
                yield work(held.pop(self._random.randrange(len(held))), order)
        self._random.shuffle(held)
        yield from (work(job, order) for job in held)


class Watcher:
    """Keeps what it is told."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.skips: list[str] = []
        self.ends: list[str] = []
        self.seconds = 0.0
        self._then = then

    def skipped(self, recording: Recording) -> None:
        self.skips.append(Path(recording.name).name)

    def heard(self, outcome: Outcome) -> None:
        self.seconds += outcome.duration

    def finished(self, outcome: Outcome) -> None:
        self.ends.append(Path(outcome.recording.name).name)
        self._then()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Recording]:
    folder, made = tmp_path_factory.mktemp("sounds"), []
    for n in range(12):
        seconds = 14.0 if n % 4 == 3 else 2.0
        path = folder / f"{n}.wav"
        soundfile.write(path, bursts((0.5, 1.0), (1.5, seconds - 0.2), seconds=seconds, seed=n), RATE)
        made.append(Recording(str(path), path.stat().st_size))
    return made


def scanned(
    out: Path, order: Order, recordings: Iterable[Recording], seed: int = 0, split: float | None = None
) -> tuple[Watcher, ArchiveScan]:
    watcher = Watcher()
    with Ledger(out, order, {"split": split}) as ledger:
        scan = ArchiveScan(order, prepare(order).metadata, ledger, watcher, split)
        scan.run(recordings, OutOfOrder(seed))
    return watcher, scan


def table(out: Path, name: str, *columns: str) -> list[tuple[Any, ...]]:
    rows = ds.dataset(out / name, format="parquet").to_table(columns=list(columns)).to_pylist()
    return sorted(tuple(round(v, 3) if isinstance(v, float) else v for v in row.values()) for row in rows)


def test_answers_in_any_order(tmp_path: Path, recordings: Sequence[Recording]) -> None:
    """And in pieces: the tables are the same."""
    order = replace(toy_order(tmp_path), warm_up=1.0)
    watcher, _ = scanned(tmp_path / "0", order, recordings)
    assert len(watcher.ends) == 12
    columns = ("file", "onset", "offset", "label", "score", "level_dbfs")
    plain = table(tmp_path / "0", "events", *columns)
    assert len(plain) == 24
    for seed, split in ((1, None), (2, 4.0), (3, 3.0)):
        other, scan = scanned(tmp_path / str(seed), order, recordings, seed, split)
        assert table(tmp_path / str(seed), "events", *columns) == plain
        assert sorted(other.ends) == sorted(watcher.ends)
        assert other.seconds == pytest.approx(watcher.seconds)
        assert bool(str(scan.difference)) == (split is not None)
    assert {pieces for (pieces,) in table(tmp_path / "3", "files", "pieces")} == {1, 5}


def test_a_name_given_twice_is_scanned_once(tmp_path: Path, recordings: Sequence[Recording]) -> None:
    order = toy_order(tmp_path)
    watcher, _ = scanned(tmp_path / "out", order, [*recordings[:3], *recordings[:2]])
    assert (sorted(watcher.ends), watcher.skips) == (["0.wav", "1.wav", "2.wav"], ["0.wav", "1.wav"])
    again, _ = scanned(tmp_path / "out", order, recordings[:4])
    assert (again.ends, again.skips) == (["3.wav"], ["0.wav", "1.wav", "2.wav"])


def test_stopping_gives_out_nothing_more(tmp_path: Path, recordings: Sequence[Recording]) -> None:
    order = toy_order(tmp_path)
    with Ledger(tmp_path / "out", order, {}) as ledger:
        watcher = Watcher(then=lambda: scan.stop())
        scan = ArchiveScan(order, prepare(order).metadata, ledger, watcher)
        scan.run(iter(recordings), OutOfOrder(0, window=2))
        assert scan.stopped
    assert 0 < len(watcher.ends) < 12
    assert table(tmp_path / "out", "files", "file") == sorted(
        (one.name,) for one in recordings if Path(one.name).name in watcher.ends
    )
