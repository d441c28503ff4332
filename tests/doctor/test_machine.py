"""Speed and memory of this computer, and of slower ones."""

from pathlib import Path

import pytest

from sed.config import Config, SourceConfig
from sed.doctor import machine
from sed.doctor.machine import available_megabytes, look
from tests.toy import write_toy


def test_this_one_is_fast_enough(tmp_path: Path) -> None:
    speed, memory = look(Config(model=str(write_toy(tmp_path / "toy.onnx"))))
    assert speed.status == "ok"
    assert "times faster than real time" in speed.found
    assert memory.found.endswith("MB of memory are free")


@pytest.mark.parametrize(("speed", "status"), [(100.0, "ok"), (7.9, "warning"), (1.9, "failed")])
def test_slower_ones_with_two_sources(speed: float, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "times_real_time", lambda config: speed)
    two = Config(source=(SourceConfig(name="a"), SourceConfig(name="b")))
    assert next(look(two)).status == status


@pytest.mark.parametrize(("megabytes", "status"), [(900, "ok"), (100, "warning"), (30, "failed")])
def test_memory(megabytes: int, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: 8000000 kB\nMemAvailable:  {megabytes}000 kB\n")
    told = available_megabytes(tmp_path / "meminfo")
    assert told == megabytes
    monkeypatch.setattr(machine, "available_megabytes", lambda: told)
    monkeypatch.setattr(machine, "times_real_time", lambda config: 100.0)
    assert list(look(Config()))[1].status == status


def test_a_kernel_that_does_not_tell(tmp_path: Path) -> None:
    assert available_megabytes(tmp_path / "meminfo") is None
