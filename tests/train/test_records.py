"""The logs of a run as their readers see them: the CSV row by row, TensorBoard's through its own reader."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # type: ignore[import-untyped]

from sed.errors import SinkError, UsageError
from sed.train.records import FILE, Record, Records

HEADER = "step,minutes,loss,rate,valid_loss"


def record(step: int, loss: float = 0.5) -> Record:
    return Record(step, step / 100.0, loss, 3e-3, loss / 2.0 if step % 1000 == 0 else None)


def write(folder: Path, *steps: int, after: int | None = None, loss: float = 0.5) -> None:
    with Records(folder, after) as records:
        for step in steps:
            records.write(record(step, loss))


def rows(folder: Path) -> list[str]:
    header, *lines = (folder / FILE).read_text().splitlines()
    assert header == HEADER
    return lines


def next_second() -> None:
    """TensorBoard's files are named by the second, and read in the order of their names."""
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.05)


def board(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """What TensorBoard shows."""
    reader = EventAccumulator(str(folder)).Reload()
    return {name: [(e.step, round(e.value, 6)) for e in reader.Scalars(name)] for name in reader.Tags()["scalars"]}


def test_both_logs_say_the_same(tmp_path: Path) -> None:
    write(tmp_path, 800, 1000)
    assert rows(tmp_path) == ["800,8,0.5,0.003,", "1000,10,0.5,0.003,0.25"]
    assert board(tmp_path) == {
        "minutes": [(800, 8.0), (1000, 10.0)],
        "loss": [(800, 0.5), (1000, 0.5)],
        "rate": [(800, 0.003), (1000, 0.003)],
        "valid_loss": [(1000, 0.25)],
    }


def test_a_resumed_run_writes_no_row_twice(tmp_path: Path) -> None:
    write(tmp_path, 800, 1000, 1200, 1400)  # killed; the checkpoint is of step 1000
    next_second()
    write(tmp_path, 1200, 1400, 1600, after=1000, loss=0.4)
    assert [line.split(",")[0] for line in rows(tmp_path)] == ["800", "1000", "1200", "1400", "1600"]
    assert board(tmp_path)["loss"] == [(800, 0.5), (1000, 0.5), (1200, 0.4), (1400, 0.4), (1600, 0.4)]


@settings(max_examples=10)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_however_often_it_is_killed_the_steps_rise(tmp_path_factory: pytest.TempPathFactory, kills: list[int]) -> None:
    folder, done = tmp_path_factory.mktemp("run"), 0
    write(folder)
    for further in kills:
        write(folder, *range(done + 100, done + 100 * further + 1, 100), after=done)
        done += 100 * (further // 2)  # of what was written, half was kept in a checkpoint
    write(folder, done + 100, after=done)
    assert [int(line.split(",")[0]) for line in rows(folder)] == list(range(100, done + 101, 100))


def test_each_row_is_there_at_once_and_a_cut_one_is_left_out(tmp_path: Path) -> None:
    with Records(tmp_path) as records:
        records.write(record(200))
        assert rows(tmp_path) == ["200,2,0.5,0.003,"]
    with (tmp_path / FILE).open("a") as file:
        file.write("400,4,0.")
    write(tmp_path, 400, after=400)
    assert [line.split(",")[0] for line in rows(tmp_path)] == ["200", "400"]


def test_the_log_of_another_run_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, 200)
    with pytest.raises(UsageError, match=r"holds the log of another run; choose another folder, or --resume it"):
        Records(tmp_path)
    (tmp_path / FILE).write_text("time,level\n1,2\n")
    with pytest.raises(UsageError, match=r"log\.csv: not the log of a training run"):
        Records(tmp_path, 200)
    assert (tmp_path / FILE).read_text() == "time,level\n1,2\n"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match="cannot be written"):
        Records(tmp_path / "file" / "logs")
