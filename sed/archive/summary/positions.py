"""Where in an archive its events are, for when nobody knows at what time they were."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sed.archive.summary.tables import parts
from sed.archive.summary.tally import Doubles

COLUMNS = 60


def by_position(folder: Path, labels: Sequence[str], seconds: float) -> Doubles:
    """(labels, COLUMNS) events; the columns divide the archive's `seconds` evenly, in the order of its tables.

    A part of the table of events has the same name as the part of the files that they are of.
    """
    found, begin = np.zeros((len(labels), COLUMNS)), 0.0
    for path in parts(folder, "files"):
        files = _read(path, ["file", "duration"])
        durations = files["duration"].fill_null(0.0).to_numpy()
        starts = begin + np.cumsum(durations) - durations
        begin += float(durations.sum())
        if (events := folder / "events" / path.name).exists():
            _place(found, _read(events, ["file", "label", "onset"]), files["file"], starts, labels, seconds)
    return found


def _read(path: Path, columns: list[str]) -> Any:
    from pyarrow import parquet

    return parquet.read_table(path, columns=columns)


def _place(found: Doubles, events: Any, files: Any, starts: Doubles, labels: Sequence[str], seconds: float) -> None:
    from pyarrow import compute

    file = compute.index_in(events["file"], value_set=files)
    label = compute.index_in(events["label"].cast("string"), value_set=pa.array(labels, "string"))
    table = pa.table({"file": file, "label": label, "onset": events["onset"]}).drop_null()
    position = (starts[table["file"].to_numpy()] + table["onset"].to_numpy()) / max(seconds, 1e-9)
    column = np.clip((position * COLUMNS).astype(np.int64), 0, COLUMNS - 1)
    np.add.at(found, (table["label"].to_numpy(), column), 1.0)
