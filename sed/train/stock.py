"""A stock of scenes, mixed once and kept in the cache: runs that differ only in how they learn share it."""

import hashlib
import json
import logging
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

import sed
from sed.errors import SinkError
from sed.train.batches import Grid, Item, Scenes, loader
from sed.train.progress import progress
from sed.train.turns import alone_at

log = logging.getLogger(__name__)

_MIXING = "batches clips codec drums effects envelope marks pools recorder rooms scenes sirens tempo textures varying"
_CODE = ("frontend.py", *(f"train/{name}.py" for name in _MIXING.split()))
"""Files that decide what a scene is: a change to one of them makes another stock."""
_CHUNK = 16  # scenes


class Stock:
    """Scenes ready to learn from, held in files that are mapped into memory: about 140 kB each."""

    def __init__(self, folder: Path) -> None:
        """Open what `mix` wrote."""
        self._frames = np.load(folder / "frames.npy", mmap_mode="r")  # (scenes, n, mels) float16 dB
        self._target = np.load(folder / "target.npy", mmap_mode="r")  # (scenes, rows, labels) uint8
        self._weight = np.load(folder / "weight.npy", mmap_mode="r")  # (scenes, rows, labels) float16

    def __len__(self) -> int:
        """How many scenes there are."""
        return len(self._frames)

    def batch(self, chosen: Tensor) -> Item:
        """The frames, targets and weights of some scenes."""
        index = np.sort(chosen.numpy())
        return _tensor(self._frames[index]), _tensor(self._target[index]), _tensor(self._weight[index])


def stock(source: Scenes, grid: Grid, described: str, cache: Path, workers: int) -> Stock:
    """The scenes of `source`, from `cache` if they are there, else mixed now with a progress bar.

    `described` says what the scenes depend on besides the code that mixes them; the folder is named after both.
    """
    folder = cache / f"scenes-{_key(described, grid)}"
    if not (folder / "whole.json").is_file():
        with alone_at(folder.with_suffix(".lock")):
            if not (folder / "whole.json").is_file():
                log.info("mixing %d scenes into %s, which may be deleted afterwards", len(source), folder)
                mix(source, grid, folder, workers)
                (folder / "whole.json").write_text(json.dumps({"scenes": len(source), "of": described}))
    return Stock(folder)


def mix(source: Scenes, grid: Grid, folder: Path, workers: int) -> None:
    """Write every scene of `source` to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    count, rows, labels = len(source), grid.rows, len(grid.labels)
    frames = _file(folder / "frames.npy", np.float16, (count, rows * grid.stride, grid.frontend.mels))
    target = _file(folder / "target.npy", np.uint8, (count, rows, labels))
    weight = _file(folder / "weight.npy", np.float16, (count, rows, labels))
    at = 0
    with progress("mixing", count) as show:
        for batch in loader(source, _CHUNK, workers, whole=False):
            size = len(batch[0])
            for out, part in zip((frames, target, weight), batch, strict=True):
                out[at : at + size] = part.numpy()
            at += size
            show(at)


def _key(described: str, grid: Grid) -> str:
    package = Path(str(sed.__file__)).parent
    code = "".join((package / name).read_text(encoding="utf-8") for name in _CODE)
    return hashlib.sha256(f"{described} {grid} {code}".encode()).hexdigest()[:16]


def _file(path: Path, kind: type[np.generic], shape: tuple[int, ...]) -> npt.NDArray[np.generic]:
    """A file that is mapped into memory, its room on the disk taken now: a write to a full disk would kill us."""
    made: npt.NDArray[np.generic] = np.lib.format.open_memmap(path, "w+", np.dtype(kind), shape)
    try:
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        path.unlink()
        raise SinkError(
            f"{path}: needs {made.nbytes / 1e9:.1f} GB ({(error.strerror or str(error)).lower()}); "
            "free some, set another cache, or ask for fewer scenes"
        ) from error
    return made


def _tensor(values: npt.NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
