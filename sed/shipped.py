"""What comes with the package: models and examples, beside the source tree or inside an installed wheel."""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from sed.errors import UsageError

DEFAULT_MODEL = "earwitness-1"

_PACKAGE = Path(__file__).parent
_ROOTS = (_PACKAGE.parent, _PACKAGE / "share")


def model_path(name: str) -> Path:
    """The file of a shipped model's name, or of a path. Raises UsageError if there is neither."""
    if (path := Path(name)).is_file():
        return path
    for root in _ROOTS:
        if (path := root / "models" / f"{name}.onnx").is_file():
            return path
    known = ", ".join(sorted({path.stem for root in _ROOTS for path in root.glob("models/*.onnx")})) or "none"
    raise UsageError(f"model '{name}': no such file, and no shipped model of that name (shipped: {known})")


def example_path(name: str) -> Path:
    """A file of the examples folder. Raises UsageError if it is not there."""
    for root in _ROOTS:
        if (path := root / "examples" / name).is_file():
            return path
    raise UsageError(f"examples/{name}: not found beside the package; reinstall earwitness")


@cache
def example_module(name: str) -> Any:
    """An example as a module, for those that are also of use to the program. Raises UsageError if it is not there."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, example_path(name))
    assert spec is not None  # noqa: S101 - the name ends in .py
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
