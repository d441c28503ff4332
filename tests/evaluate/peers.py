"""A stand-in for YAMNet's file: LiteRT as far as we call it, every class scoring how loud the window is."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sed.evaluate import yamnet
from sed.signals import Floats

CLASSES = sorted({name for sets in yamnet.ROWS.values() for names in sets for name in names})


class LoudInterpreter:
    """Class n of the map scores the window's RMS * 5, but `Siren` half of it."""

    shapes = ((yamnet.WINDOW,), (1, 521))
    invoked = 0

    def __init__(self, model_path: str, num_threads: int) -> None:
        if Path(model_path).read_bytes() != b"loud":
            raise ValueError("Model provided has model identifier 'nois'\nmore of it")

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 0, "shape": np.array(self.shapes[0])}]

    def get_output_details(self) -> list[dict[str, Any]]:
        return [{"index": 1, "shape": np.array(self.shapes[1])}]

    def set_tensor(self, index: int, samples: Floats) -> None:
        assert (index, samples.shape, samples.dtype.name) == (0, (yamnet.WINDOW,), "float32")
        self.given = samples

    def invoke(self) -> None:
        type(self).invoked += 1

    def get_tensor(self, index: int) -> Floats:
        scores = np.full((1, 521), min(1.0, 5.0 * float(np.sqrt(np.mean(self.given**2)))), np.float32)
        scores[0, CLASSES.index("Siren") + 7] /= 2
        return scores


def write_peer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model file and its class map; LiteRT is the interpreter above until the test is over."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "yamnet.tflite").write_bytes(b"loud")
    rows = [f'{number},/m/{number},"{name}"\n' for number, name in enumerate(CLASSES, start=7)]
    (folder / yamnet.CLASS_MAP).write_text("index,mid,display_name\n" + "".join(rows))
    found = SimpleNamespace(import_module=lambda name: SimpleNamespace(Interpreter=LoudInterpreter))
    monkeypatch.setattr(yamnet, "importlib", found)
    monkeypatch.setattr(LoudInterpreter, "invoked", 0)
    return folder / "yamnet.tflite"
