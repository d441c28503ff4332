"""YAMNet, to measure against: a file the user has, heard window by window. Nothing of it is part of this package."""

import csv
import hashlib
import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from sed.errors import ModelError, UsageError
from sed.signals import Floats

RATE, WINDOW = 16_000, 15_600
STEP = 3_840
"""Samples from one window to the next: half of YAMNet's own hop."""

CLASS_MAP = "yamnet_class_map.csv"
"""Beside the model: the names of its classes."""

_FIRE_ENGINE = "Fire engine, fire truck (siren)"
_SIRENS = ("Siren", "Police car (siren)", "Ambulance (siren)", _FIRE_ENGINE, "Civil defense siren")
_GUNSHOT = "Gunshot, gunfire"
ROWS: dict[str, tuple[tuple[str, ...], ...]] = {
    "siren": ((*_SIRENS, "Emergency vehicle"), _SIRENS, ("Siren",)),
    "gun_shot": (
        (_GUNSHOT, "Machine gun", "Fusillade", "Artillery fire", "Cap gun"),
        (_GUNSHOT, "Machine gun", "Fusillade"),
        (_GUNSHOT,),
    ),
    "glass_break": (("Glass", "Shatter", "Breaking"), ("Glass", "Shatter"), ("Shatter", "Breaking"), ("Shatter",)),
}
"""For each label, the sets of classes whose maximum may stand for it."""


class Yamnet:
    """Scores of the classes named in `ROWS`, one row a window, remembered by what was heard."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError without LiteRT, ModelError if the model or its class map cannot be used."""
        self._interpreter = _opened(path)
        self._columns = _columns(
            path.with_name(CLASS_MAP), {name for sets in ROWS.values() for s in sets for name in s}
        )
        self._heard: dict[bytes, Floats] = {}
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()

    def windows(self, samples: Floats) -> Floats:
        """One row each `STEP` samples, (windows, classes); the last window is filled up with silence."""
        key = hashlib.blake2b(samples.tobytes()).digest()
        if key not in self._heard:
            self._heard[key] = self._scores(samples)
        return self._heard[key]

    def best(self, windows: Floats, names: Iterable[str]) -> Floats:
        """The highest of some classes in each window, (windows,)."""
        order = list(self._columns)
        return np.asarray(windows[:, [order.index(name) for name in names]].max(axis=1), np.float32)

    def _scores(self, samples: Floats) -> Floats:
        given, taken = (
            d[0]["index"] for d in (self._interpreter.get_input_details(), self._interpreter.get_output_details())
        )
        columns = list(self._columns.values())
        count = 1 + max(0, -(-(len(samples) - WINDOW) // STEP))
        padded = np.zeros((count - 1) * STEP + WINDOW, np.float32)
        padded[: len(samples)] = samples
        rows = np.empty((count, len(columns)), np.float32)
        for n in range(count):
            self._interpreter.set_tensor(given, padded[n * STEP : n * STEP + WINDOW])
            self._interpreter.invoke()
            rows[n] = self._interpreter.get_tensor(taken)[0, columns]
        return rows


def _opened(path: Path) -> Any:
    if not path.is_file():
        raise ModelError(f"{path}: no such model file")
    try:
        litert = importlib.import_module("ai_edge_litert.interpreter")
    except ModuleNotFoundError as error:
        raise UsageError(f"--yamnet: needs {error.name}; pip install 'earwitness[bench]'") from error
    try:
        interpreter = litert.Interpreter(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"{path}: not a model that LiteRT can open ({str(error).splitlines()[0]})") from error
    shapes = [d[0]["shape"].tolist() for d in (interpreter.get_input_details(), interpreter.get_output_details())]
    if shapes != [[WINDOW], [1, 521]]:
        raise ModelError(f"{path}: not YAMNet: need {WINDOW} samples -> 521 scores, it has {shapes[0]} -> {shapes[1]}")
    return interpreter


def _columns(path: Path, names: set[str]) -> dict[str, int]:
    """Where the classes are in YAMNet's output, in its order."""
    if not path.is_file():
        raise ModelError(f"{path}: no such file; YAMNet's class map has to lie beside it")
    with path.open(newline="", encoding="utf-8") as lines:
        found = {row.get("display_name", ""): row.get("index", "") for row in csv.DictReader(lines)}
    if missing := sorted(names - set(found)):
        raise ModelError(f"{path}: names no class '{missing[0]}'")
    return {name: int(found[name]) for name in found if name in names}
