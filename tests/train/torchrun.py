"""torchrun, for tests: processes of one run of a program, on the loopback only; and a program that fits and saves.

`python -m torch.distributed.run ... -m tests.train.torchrun SETTINGS.json...` fits each of them, one after the other.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.broker import eventually

END_SECONDS = 300.0
"""Machines are busy: each process takes its time to import torch."""

ROOT = Path(__file__).parents[2]


class Torchrun:
    """Some processes of `python -m MODULE OPTIONS`; a `with` starts them and kills what is left of them."""

    def __init__(self, folder: Path, module: str, *options: object, processes: int = 2) -> None:
        self._log, self._processes = folder / "torchrun.log", processes
        start = ["--standalone", "--nproc-per-node", str(processes), "-m", module]
        self._command = [sys.executable, "-m", "torch.distributed.run", *start, *map(str, options)]
        self._environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1", "COLUMNS": "400"}

    @property
    def log(self) -> str:
        """What all of them have said so far."""
        return self._log.read_text(errors="replace")

    def __enter__(self) -> "Torchrun":
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, env=self._environment, cwd=ROOT, start_new_session=True
            )
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers().values(), self._process.pid):
            _kill(process)
        self._process.wait(END_SECONDS)

    def workers(self) -> Mapping[int, int]:
        """The processes that torchrun has started, by rank."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and _parent(entry) == self._process.pid and (rank := _rank(entry)) is not None:
                found[rank] = int(entry.name)
        return found

    def ended(self, seconds: float = END_SECONDS) -> int:
        """Wait for torchrun to end; its exit code, all its processes being gone."""
        code = self._process.wait(seconds)
        eventually(lambda: not self.workers())
        return code


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, 9)


def _parent(entry: Path) -> int | None:
    try:
        return int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return None


def _rank(entry: Path) -> int | None:
    try:
        variables = (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    return next((int(value[5:]) for value in variables if value.startswith(b"RANK=")), None)


def main(*files: Path) -> None:
    """Fit the settings of each file with all processes; the first one leaves the losses beside the checkpoint."""
    import torch

    from sed.train import fit
    from sed.train.distributed import together
    from sed.train.run import checkpoint_path
    from sed.train.settings import TrainSettings

    torch.set_num_threads(1)
    runs = [TrainSettings.model_validate_json(file.read_text()) for file in files]
    with together(runs[0]) as ranks:
        for settings in runs:
            run = fit.fit(settings, fit.gather(settings), ranks=ranks)
            torch.save(run.losses, checkpoint_path(settings).with_suffix(f".rank{ranks.rank}"))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
