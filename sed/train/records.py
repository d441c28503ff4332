"""What a training run tells about itself while it runs: a CSV file and TensorBoard's, side by side in one folder."""

import csv
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Final, Self

from sed.errors import SinkError, UsageError

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FILE: Final = "log.csv"


@dataclass(frozen=True, slots=True)
class Record:
    """How a run stood after a step."""

    step: int
    minutes: float
    loss: float  # the mean since the record before
    rate: float  # of learning
    valid_loss: float | None = None  # where it was checked


COLUMNS: Final = tuple(field.name for field in fields(Record))


class Records:
    """Writes records into `folder`, each at once; a context manager.

    A run that goes on after step `after` keeps the rows up to there and drops later ones, which it will write again. A
    fresh one (None) does not touch a log that is there. Raises UsageError for that and for a file that is no log,
    SinkError if nothing can be written.
    """

    def __init__(self, folder: Path, after: int | None = None) -> None:
        """Open both files."""
        path = folder / FILE
        if after is None:
            check_folder(folder)
        kept = _rows(path) if path.exists() else []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._csv = _opened(path, [row for row in kept if int(row["step"]) <= (after or 0)])
        except OSError as error:
            raise SinkError(f"--log-dir {folder}: cannot be written ({error.strerror})") from error
        self._rows = csv.writer(self._csv, lineterminator="\n")
        self._board = _board(folder, after)

    def write(self, record: Record) -> None:
        """Append one record to both."""
        known = {name: value for name in COLUMNS if (value := getattr(record, name)) is not None}
        self._rows.writerow([_text(known.get(name, "")) for name in COLUMNS])
        self._csv.flush()
        for name, value in known.items():
            if name != "step":
                self._board.add_scalar(name, value, record.step)

    def close(self) -> None:
        """Write what is left and close both files."""
        self._csv.close()
        self._board.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def check_folder(folder: Path) -> None:
    """Raise UsageError if a fresh run cannot keep its records in `folder`, because another one does."""
    if (folder / FILE).exists() and _rows(folder / FILE):
        raise UsageError(f"--log-dir {folder}: holds the log of another run; choose another folder, or --resume it")


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of a log; a last one that a kill cut short is left out. Raises UsageError if it is no log."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise UsageError(f"{path}: not the log of a training run; choose another --log-dir")
        return [row for row in reader if None not in row.values()]


def _opened(path: Path, rows: list[dict[str, str]]) -> IO[str]:
    """The log with these rows and no others, open to append; at no moment is it without them."""
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    part.replace(path)
    return path.open("a", newline="", encoding="utf-8")


def _board(folder: Path, after: int | None) -> "SummaryWriter":
    """TensorBoard's writer; what it has of steps later than `after` will not be shown."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as error:
        raise UsageError(f"--log-dir {folder}: needs {error.name}; pip install 'earwitness[train]'") from error
    return SummaryWriter(str(folder), purge_step=None if after is None else after + 1)


def _text(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
