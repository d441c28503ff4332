"""Model files as bytes: their metadata replaced, and written whole or not at all. No torch."""

import os
from pathlib import Path

import onnx

from sed.errors import SinkError
from sed.metadata import KEY, Metadata


def described(data: bytes, metadata: Metadata) -> bytes:
    """The ONNX file `data` with `metadata` under its key, in place of what was there."""
    model = onnx.load_from_string(data)
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key != KEY}
    onnx.helper.set_model_props(model, {**kept, KEY: metadata.model_dump_json()})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; raises SinkError."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror})") from error
