"""Frame scores on disk, in the form that sed_scores_eval reads: `onset offset label...`, tab-separated."""

from pathlib import Path

from sed.errors import SinkError
from sed.formats import Detection
from sed.signals import Frames, Scores


class ScoreFile:
    """Writes the score rows of one recording as they come; times in seconds."""

    def __init__(self, path: Path, labels: tuple[str, ...], sample_rate: int) -> None:
        """Raises SinkError if the file cannot be written."""
        self._rate = sample_rate
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._out = path.open("w", encoding="utf-8")
        except OSError as error:
            raise SinkError(f"--scores {path}: cannot be written ({error.strerror})") from error
        self._out.write("\t".join(("onset", "offset", *labels)) + "\n")

    def frames(self, frames: Frames) -> None:
        """Frames are not kept."""

    def scores(self, scores: Scores) -> None:
        """A line a row."""
        for n, row in enumerate(scores.values.tolist()):
            onset = scores.start + n * scores.hop
            times = (f"{onset / self._rate:.6f}", f"{(onset + scores.hop) / self._rate:.6f}")
            self._out.write("\t".join((*times, *(f"{value:.7g}" for value in row))) + "\n")

    def close(self, detections: list[Detection]) -> None:  # noqa: ARG002 - as an Observer
        """Close the file."""
        self._out.close()
