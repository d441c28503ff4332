"""`earwitness scenes` as a user runs it, on a dozen generated clips."""

from pathlib import Path

from tests.test_cli import earwitness
from tests.train.conftest import data

__all__ = ["data"]

FEW = ("--label", "siren", "--label", "glass_break", "--targets", 3, "--distractors", 1, "--explosions", 1)


def test_the_same_seed_gives_the_same_bytes(data: Path, tmp_path: Path) -> None:
    for out, seed in (("one", 0), ("two", 0), ("other", 1)):
        done = earwitness(
            "scenes", tmp_path / out, "--data", data, *FEW, "--seconds", 6, "--seed", seed, "--cache", tmp_path / "c"
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == [
        "distractor-000.wav", "explosion-000.wav", "scenes.csv", "scenes.tsv",
        "target-000.wav", "target-001.wav", "target-002.wav",
    ]  # fmt: skip
    one, two, other = ([(tmp_path / out / name).read_bytes() for name in names] for out in ("one", "two", "other"))
    assert one == two
    assert not set(one) & set(other)


def test_wrong_use_exits_2_with_one_line(data: Path, tmp_path: Path) -> None:
    done = earwitness("scenes", tmp_path / "out", "--data", data, "--split", "rest")
    message = "earwitness: --split rest: unknown; choose one of train, valid, test\n"
    assert (done.returncode, done.stderr) == (2, message)


def test_what_is_missing_is_told_before_anything_is_written(data: Path, tmp_path: Path) -> None:
    done = earwitness("scenes", tmp_path / "out", "--data", data, "--label", "scream", "--cache", tmp_path / "c")
    assert done.returncode == 1
    assert "scream: no clips of split 'test'" in done.stderr
    assert not (tmp_path / "out").exists()
