"""A scan whose workers and whose driver are killed again and again, at any moment (make scale)."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.archive.test_command import assert_accounted, family, rows, sound, started
from tests.toy import metadata, write_toy

FILES, KILLS = 6_000, 12


@pytest.mark.scale
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_at_any_moment(tmp_path: Path, seed: int) -> None:
    toy, chance = write_toy(tmp_path / "toy.onnx", metadata(on=0.5, off=0.4, max_gap=0.12)), random.Random(seed)
    first, folder, out = sound(tmp_path / "0.wav"), tmp_path / "archive", tmp_path / "out"
    long = sound(folder / "long.wav", seconds=120.0)
    for n in range(FILES):
        (folder / f"{n}.wav").hardlink_to(first)
    options = [folder, "--split", 10, "--warm-up", 2]
    for _ in range(KILLS):
        with started(out, toy, *options) as process:
            for _ in range(chance.randrange(6)):  # workers, then the driver
                time.sleep(chance.uniform(0.0, 1.5))
                workers = family(process.pid)[3:]
                if workers:
                    os.kill(chance.choice(workers), signal.SIGKILL)
            time.sleep(chance.uniform(0.0, 4.0))
            process.kill()
    with started(out, toy, *options) as process:
        told, _ = process.communicate(timeout=900)
    assert process.returncode == 0, told
    assert_accounted(out, [str(path) for path in folder.iterdir()])
    assert {row["status"] for row in rows(out, "files")} == {"done"}
    assert next(row["pieces"] for row in rows(out, "files") if row["file"] == str(long)) == 12
